package deadline

import "strings"

// The word lists. Each is one constant, words parted by a blank.
const (
	// standingHeads begin a phrase that says a duty goes on for ever.
	standingHeads = "长期 持续 常态 常年 长效 坚持 常抓不懈 经常性 贯穿始终"
	// standingJoins may stand between a result and the standing phrase that follows it.
	standingJoins = "并 且 并且 并要 再 同时 后 之后 此后 以后 后续 后期 今后 往后 转入 进入 转为 实行 、 和 及"
	// allAlong begins a phrase that says the same of a period without an end of its own.
	allAlong = "全年 贯穿全年 全程 全过程 贯穿全程 贯穿全过程 日常 一直 始终"
	// beginnings are the verbs of a start, whose end is told elsewhere in the cell.
	beginnings = "启动 开工 动工 开始 着手 谋划 筹备 立项 实施"
	// phases are the verbs of a stage that is over when its month, quarter or year is.
	phases = "验收 总结 评估 自查 检查 抽查 督查 考核 通报 汇总 部署 动员 排查 整改 整治 清理 试点 试运行 推开 推广 推行 投入 巩固 上线 运行 提请 审议 第一批 第二批 第三批 首批 一期 二期 三期"
	// papers end words that name a paper or a task and not an act: 2024年整改方案.
	papers = "方案 计划 办法 细则 清单 任务 工作 要点 通知 意见 会 会议 报告 表 台账 项目 材料 情况 制度 机制 经费 资金 标准 指标 目标"
	// urgent words ask for haste and name no date. They neither make nor spoil a reading.
	urgent = "立行立改 立整立改 即知即改 边整边改 即行即改 即日起 即时 立即 立刻 马上"
	// soft words loosen a date; the date stands all the same.
	softWords = "原则上 力争 争取 力求 尽量 计划 拟 预计 努力"
	// lead words stand before a date and add nothing to it.
	leadWords = "于 在 应 应当 须 需 要 务必 务于 必须 确保 保证 最迟 最晚 至迟 不迟于 不晚于 截至 截止 截止到 截止时间 截止日期 到 至 限 限于 限期 请 并 并于 并在 且 再 再于 同时 分别 另 自 从 完成时限: 完成时间: 时限: 时间: 整改时限: 办理时限: 办结时限: 时间节点: 时限要求: 时间要求: 完成期限: 截止时间: 截止日期: 计划完成时间: 完成时限 完成时间 : 、 即"
	// joins part two dated results inside one clause.
	joins = "、 和 及 与 以及 并 并于 并在 再 再于 且 于 在 应 应于 要 同时"
	// unitWords mark text that names who; dates of different units are not milestones of each.
	unitWords = "单位 部门 机关 局 办 委 镇 街 乡 中心 公司 村 社区 厅 科 处 院 牵头 责任 配合 县 区 市 校 企业"
	// actions are the verbs a dated result usually begins with.
	actions = "完成 制定 出台 印发 建立 编制 报送 上报 报 开展 组织 取得 形成 建成 实现 达到 召开 提交 公布 公开 发布 公示 上线 投入 落实 推进 推动 健全 完善 修订 调整 梳理 排查 整改 清理 审核 汇总 总结 评估 验收 举办 培训 部署 全部 全面 基本 初步 各 分别 力争 启动 结束 办结 销号 到位 更新 做好 检查 督查 通报 反馈 送 交 签订 确定 明确 向 将 对 予以 进行 实施 执行 研究 提出 申报 配备 竣工 开工 交付 使用 运行 反馈 前 提请 发放 拨付 录入 填报 组建 成立 下发 备案 评查 抽查 自查"
	// routines are the verbs of a duty that comes back: 每季度更新.
	routines = rhythmVerbs + " 开展 组织 报送 上报 更新 公布 公开 公示 制定 编制 召开 举办 培训 完成 排查 整改 梳理 评查 抽查 自查 跟踪 监测 走访 巡查 巡检 调研 学习 轮训 修订 调整 提交 反馈 统计 述职 述法 演练 审核 清理 实施 推进 落实 研究 听取 会议 进行"
	// campaigns are weeks and months with a name, whose date is not told.
	campaigns = "安全生产月 宣传月 活动月 宣传日 主题日 开放日 宣传周 活动周 节日"
	// counted are the measure words of events a quota counts.
	counted = "次 场 场次 期 篇 件 个 家 条 起 例 批 份 轮 人次"
	// measured are measure words of amounts that a dated result may name.
	measured = "个 家 件 项 名 人 份 篇 所 处 公里 万元 亿元 % 辆 套 台 座 条 户 亩 学时 例 批 部 本 类 个以上 家以上 名以上 人以上 %以上"
	// timeUnits after a measure word or number make it a length of time.
	timeUnits = "月 工作日 小时 自然日 星期 季度 礼拜 年 周 半月 日 天"
)

// hedges make any date in the same cell uncertain. Each stands with what an official is told.
func hedge(t string) string {
	for _, c := range []struct{ words, why string }{
		{"农历 阴历 旧历 腊月 正月 除夕 元宵 重阳", "农历日期每年不同"},
		{"跨年 另定 另报 另议 再定 酌情 个别 遇到 遇有 遇政策 遇特殊", "有条件或有例外"},
		{"左右 前后 上下 大约 大概 暂定 待定 视情 视工作 视具体 视实际 另行 待明确 未定 待确定 待通知 初定", "时间不确定"},
		{"春节 国庆 元旦 五一 十一前 两会 中秋 端午 清明 汛期 暑期 暑假 寒假 开学 高考 中考 节前 节后 农闲 春运 暑运 春耕 双节 秋收 三夏 供暖 采暖 学期 换届", "节日、会期等时间不固定"},
		{"尽快 尽早 近期 近日 适时 择机 早日 不定期 定期 随时", "没有具体日期"},
		{"压缩 缩短 压减 提速 减至 减少至 降至 办理时限 办结时限 承诺时限 法定时限 时限内 保存期限 有效期 试行 为期 时长", "是办理时长或期限，不是完成时限"},
		{"印发日期 发布日期 成文日期 发文日期 生效日期 施行日期 文号 工作要点 以来 已完成 已于 已经 曾 同比 上年同期", "不是完成时限的日期"},
		{"如果 如需 如有 一旦 或 否则 暂不 暂缓 取消 顺延 延期 延长 推迟 延至 调整为 变更为 改为 具备条件 条件成熟 条件允许 符合条件 确有困难 困难的 可于 可在 可适当 可推 特殊情况 其中 为准 原定", "有条件或有例外"},
		{"期间 之间 超过 不超 最多 至多 以下", "时间范围不明确"},
		{"每两 每双 每隔 每日 每天 每旬 每半个月 每半月 每三 每学 每逢 每个工作 隔周 隔月 隔年 双周 双月 单月 逐年 每2 每3 每4 每5 每6 每10 每15", "这种周期不能登记"},
		{"每人 人均 每名", "按人计的要求不能登记为时限"},
		{"去年 上年末 前年 昨年", "是过去的日期"},
		{"每年初 每年年初 每月初 每月月初 每季初 每季度初 年初 月初 季初 年中", "日期不确切"},
	} {
		if w := containsAny(t, c.words); w != "" {
			return "「" + w + "」：" + c.why
		}
	}
	return ""
}

// harmlessWords hold a character of dangerous but speak of no time.
const harmlessWords = "年度 年报 半年报 季报 月报 周报 日报 青年 少年 老年 成年 年轻 年检 年审 年鉴 年会 周年 三年行动 五年规划 三年计划 年龄 日常 日间 节日 休息日 " +
	"本季度工作 本季度情况 当月工作 当月进展 当月情况 当月报表 本月工作 本月情况 本月进展 当季工作 当年工作 半年工作 半年报告 半年情况 上月 上个月 上季度 上一季度 上季 当季 上周 下月计划 下季度计划 季度总结 季度报告 月度总结 月度报告 月度报表 上年度 上一年度 下年度 下一年度 本年度 年终总结 半年总结 季度情况 月度情况 全年 " +
	"及时 同时 实时 时限 准时 临时 时代 时效 前期 前置 前端 前沿 事前 靠前 岗前 目前 前瞻 前列 会前 职前 超前 后续 后期 事后 善后 售后 后台 后勤 后备 滞后 落后 课后 " +
	"内容 内部 国内 境内 辖区内 范围内 区内 市内 县内 省内 域内 领域内 业内 系统内 内控 内审 内设 内涝 内生 室内 全域内 单位内 " +
	"起草 起到 发起 引起 一起 建立起 提起 起诉 摸底 底数 底线 彻底 兜底 底册 底账 见底 清底 托底 到底 周边 周密 周知 宣传周 活动周 蓝天 天然 航天 " +
	"宣传月 活动月 宣传日 主题日 开放日 安全生产月 四季 末端 初步 初审 初稿 初级 初中 最初 防止 禁止 制止 举止 " +
	"到位 得到 达到 做到 收到 接到 提到 找到 感到 遇到 直到位 报送至 上报至 报至 提交至 发送至 反馈至 延伸至 扩大至 推送至 甚至 以至 " +
	"不断 不合格 不动产 不见面 不良 不足 不作为 不文明 不规范 不合理 不合法 不必要 不少于 不低于 不稳定 不力 不到位 不落实 不留死角 无障碍 无证 无人机 无害化 有无 无违建 未成年 " +
	"非法 非现场 非遗 非税 非公 非机动车 非诉 非警务 非居民 非煤 是非 分期 一期 二期 三期 四期 首期 初见 初具 初显 周期 中期 终期 早期 预期 初期 中期评估 约谈 节约 预约 合约 契约 履约 集约 若干 如期 按期 按时 除险 消除 清除 解除 拆除 免除 扫除 例如 约束"

// dangerous characters may hide a time, a range or a negation.
const dangerous = "年月日季周天旬前后内起每底末初止至到期时晚如若凡约除已未不无非暂待@-/.~+…_×<>≤≥:：\uFFFD"

// strange returns the first piece of t that the grammar does not account for, or "".
func strange(t string) string {
	s := []rune(t)
	for i := 0; i < len(s); {
		if n := startsWith(s, i, harmlessWords); n > 0 {
			i += n
			continue
		}
		if digit(s[i]) || letter(s[i]) || strings.ContainsRune(dangerous, s[i]) || s[i] < 0x80 && s[i] != '%' {
			return string(s[max(0, i-3):min(len(s), i+4)])
		}
		i++
	}
	return ""
}
