package deadline

import "strings"

// trimEnds takes words of the lists off both ends of t, as often as they stand there.
func trimEnds(t, front, back string) string {
	s := []rune(t)
	for {
		n := startsWith(s, 0, front)
		s = s[n:]
		m := endsWith(s, back)
		s = s[:len(s)-m]
		if n+m == 0 {
			return string(s)
		}
	}
}

// splitStanding divides words into a result and a standing phrase behind it.
func splitStanding(t string) (result string, standing bool) {
	if standingText([]rune(trimEnds(t, urgent+" "+standingJoins, ""))) {
		return "", true
	}
	t = trimEnds(t, urgent+" 并 且 并且 、", "")
	s := []rune(t)
	for k := 1; k < len(s); k++ {
		if n := startsWith(s, k, standingJoins); n > 0 && standingText(s[k+n:]) {
			return string(s[:k]), true
		}
	}
	return t, false
}

// standingText reports whether the words say that a duty goes on for ever.
func standingText(s []rune) bool {
	n := startsWith(s, 0, "长期 持续 常态化")
	if n > 0 && startsWith(s, n, "机制 时间 规划 目标 性机制 性规划 效果 影响 工作机制 制度 到 至 化机制") == 0 &&
		strange(string(s[n:])) == "" && containsAny(string(s[n:]), "机制 制度 体系 为期") == "" {
		return true
	}
	n = max(startsWith(s, 0, standingHeads), startsWith(s, 0, allAlong))
	if n == 0 {
		return false
	}
	const vocabulary = "长期 持续 常态 常年 长效 坚持 化 性 推进 开展 落实 执行 实施 深化 抓 好 抓好 进行 完善 优化 工作 任务 整改 推动 用力 保持 有效 管理 不懈 不断 并 、 地 抓落实 做好 跟进 跟踪 加强 监管 管控 巩固 提升 不间断 长期 常态化 持续 坚持 完成"
	for n < len(s) {
		w := startsWith(s, n, vocabulary)
		if w == 0 {
			return false
		}
		n += w
	}
	return string(s) != "坚持" && string(s) != "全年" && endsWith(s, "完成") == 0
}

// namesUnits reports whether the words before the first verb name who has to act.
func namesUnits(t string) bool {
	s := []rune(t)
	for i := range s {
		if startsWith(s, i, actions) > 0 {
			return containsAny(string(s[:i]), unitWords) != ""
		}
	}
	return containsAny(t, unitWords) != ""
}

// readBasis reads 根据上级部署 and 按照国家和省、市要求时限 and returns what is waited for, or "".
func readBasis(t string) string {
	s := []rune(t)
	n := startsWith(s, 0, "根据 按照 按 依据 依照 遵照 待 随 以 严格按照 视 与 同 跟")
	if n == 0 {
		return ""
	}
	if strings.ContainsRune("与同跟", s[0]) {
		return readAbreast(s[n:])
	}
	s = s[n:]
	for {
		m := endsWith(s, "推进 执行 落实 完成 办理 开展 组织实施 组织开展 实施 进行 确定 做好 及时 推动 为准 抓好 有序 同步 组织 稳步")
		if m == 0 {
			break
		}
		s = s[:len(s)-m]
	}
	const ends = "部署 要求 安排 时限 时间 规定 进度 通知 节点 计划 文件 精神 步骤 工作部署 决策部署 方案 批复 意见 指示"
	if len(s) < 3 || endsWith(s, ends) == 0 {
		return ""
	}
	who := string(s[:len(s)-endsWith(s, ends)])
	if containsAny(who, superior) == "" {
		return ""
	}
	if strange(trimEnds(string(s), "", ends+" 规定 要求 工作 相关 统一 具体 的")) != "" {
		return ""
	}
	return string(s)
}

// superior names those whose dates a unit waits for.
const superior = "上级 国家 国务院 中央 省 市 州 自治区 部委 县 区 盟 旗 厅 有关部门 上位"

// readAbreast reads what follows 与 in 与上级同步推进.
func readAbreast(s []rune) string {
	n := endsWith(s, "同步 同步推进 同步完成 同步实施 同步开展 同步出台 同步落实 同步进行 保持同步 同步启动 同步制定 同步印发")
	if who := string(s[:len(s)-n]); n == 0 || containsAny(who, superior) == "" || strange(who) != "" {
		return ""
	}
	return "与" + string(s)
}

// conditional reports whether a clause of its own makes the dates of the cell depend on something: 视资金到位情况.
func conditional(t string) bool {
	return startsWith([]rune(t), 0, "视 遇 若 倘 凡 待") > 0 && startsWith([]rune(t), 0, "视频 若干 待遇") == 0
}

// readAfter reads 机构改革完成后 and returns the event, or "".
func readAfter(t string) string {
	k := strings.LastIndex(t, "后")
	if k < 0 {
		return ""
	}
	tail := []rune(t[k+len("后"):])
	if len(tail) > 0 && startsWith(tail, 0, "及时 立即 即 组织 开展 启动 实施 完成 制定 推进 落实 执行 报送 上报 同步 予以 进行") == 0 || strange(string(tail)) != "" {
		return ""
	}
	event := trimEnds(t[:k], "自 从 在 于 待 等", "之 以")
	if len([]rune(event)) < 4 || strange(event) != "" ||
		containsAny(event, "完成 出台 印发 下发 部署 发布 批复 批准 结束 到位 明确 成立 验收 建成 审议 通过 确定 公布 下达 收到 接到 作出 竣工 投产 受理 立案 反馈 修订 签订 上线 实施") == "" {
		return ""
	}
	return event
}

// readEvent returns the event that starts a clock counted after or before it, or "".
func readEvent(t, dir string) string {
	s := []rune(trimEnds(t, "自 从 在 于 待 应 应当 须 应于 请 "+softWords, ""))
	if dir == "after" && (startsWith(s, 0, "收到 接到") == 0 || endsWith(s, "后 起") > 0) { // 收到督办单3个工作日内 needs no 后
		n := endsWith(s, "后 之后 以后 之日起 之日 起 后的 之日起的 之日后")
		if n == 0 {
			return ""
		}
		s = s[:len(s)-n]
	}
	event := trimEnds(string(s), "", "的 应 应当 须 需 要 至少 开始之 之")
	if len([]rune(event)) < 1 || strange(strings.ReplaceAll(event, "每次", "")) != "" || endsWith([]rune(event), "最 今 此 之") > 0 {
		return ""
	}
	return event
}

// ownIssue reports whether the event is the issue of the very plan the cell stands in.
func ownIssue(event string, fromDay bool) bool {
	const issue = "印发 下发 发布 公布 印发实施 发文"
	s := []rune(event)
	n := endsWith(s, issue)
	if n == 0 {
		return false
	}
	rest := s[:len(s)-n]
	if len(rest) == 0 {
		return fromDay
	}
	return rest[0] == '本' && startsWith(rest, 1, "方案 通知 计划 意见 办法 文件 实施方案 工作方案 行动方案 行动计划 要点 台账 清单 措施") == len(rest)-1
}
