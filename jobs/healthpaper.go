package jobs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/notice"
)

// operationsPaper is what the operations letter says: what waits for a person, what ran, what left, what comes next. The
// subject alone tells whether anybody has to look.
func operationsPaper(issuer string, d civil.Date, c Condition) notice.Paper {
	p := notice.Paper{
		Title: "督办程序运行日报", Sub: d.Chinese() + dayKind(c.Workday), Addressee: "系统运维人员", Date: d, Issuer: "督办程序",
		Subject: fmt.Sprintf("【%s】%s督办程序%s", issuer, dayOf(d), headlineOf(c)),
		Opening: []string{stand(c)},
	}
	if len(c.Needs) > 0 {
		s := notice.Section{Heading: "请处理"}
		for _, n := range c.Needs {
			s.Lines = append(s.Lines, needWords(n))
		}
		p.Sections = append(p.Sections, s)
	}
	for _, s := range []notice.Section{slotsSection(c), lettersSection(c), aheadSection(c)} {
		if len(s.Paras)+len(s.Lines) > 0 || s.Table != nil {
			p.Sections = append(p.Sections, s)
		}
	}
	when := "本信每日自动发出"
	if c.Health != "" {
		when = "本信每日" + c.Health + "自动发出"
	}
	p.Closing = []string{when + "，休息日、无信件的日子也不例外。到时未收到的，程序或者邮件通道可能已经停止，请在服务器上执行 duban status 和 duban doctor 查看。"}
	return p
}

func dayKind(workday bool) string {
	if workday {
		return "（工作日）"
	}
	return "（休息日）"
}

// dayOf is 9月26日.
func dayOf(d civil.Date) string {
	_, m, day := d.YMD()
	return fmt.Sprintf("%d月%d日", int(m), day)
}

// lettersToday counts what of the day's letters left, or may have.
func lettersToday(c Condition) (all, sent int) {
	for state, n := range c.Letters {
		all += n
		if state == notice.Sent {
			sent += n
		}
	}
	return all, sent
}

// headlineOf is the end of the subject.
func headlineOf(c Condition) string {
	all, sent := lettersToday(c)
	letters := "今日无信件"
	if all > 0 {
		letters = fmt.Sprintf("今日信件%d封、已发%d封", all, sent)
	}
	if n := len(c.Needs); n > 0 {
		return fmt.Sprintf("有%d事待处理，%s", n, letters)
	}
	return "运行正常，" + letters
}

// stand is the one sentence that tells how things are.
func stand(c Condition) string {
	all, sent := lettersToday(c)
	words := "今日无信件"
	if all > 0 {
		words = fmt.Sprintf("今日信件%d封，已发出%d封", all, sent)
	}
	switch {
	case len(c.Needs) == 0:
		return words + "，程序运行正常。"
	case !c.Sending:
		return words + fmt.Sprintf("；目前不对外发信，有%d事请处理。", len(c.Needs))
	}
	return words + fmt.Sprintf("；程序在运行，有%d事请处理。", len(c.Needs))
}

// needWords is a need in Chinese, with the command.
func needWords(n Need) string {
	words, do, text := needKindWords(n), strings.ReplaceAll(n.Do, ", then ", "，再执行 "), n.Text
	switch n.What {
	case NeedSlots:
		text = slotsWords(n)
	case NeedHolidays:
		do, text = "请在 calendar.overrides 中补充国务院办公厅的放假安排，或者更新程序", ""
	case NeedClock:
		do = "请校准本机时钟；日期确实无误的，执行 duban run all --confirm-date"
	case NeedArchive:
		if text = ""; n.N > 0 {
			text = spanWords(n.From, n.To)
		}
	case NeedVersions, NeedPaused, NeedBrake, NeedUnknown, NeedFailed, NeedRelease, NeedAddress:
	}
	if text != "" {
		words += "（" + text + "）"
	}
	return words + "：" + do
}

func needKindWords(n Need) string {
	switch n.What {
	case NeedClock:
		return "本机日期存疑，程序不编制、不发信"
	case NeedArchive:
		if n.N == 0 {
			return "数据库恢复后，按档案补登已发信件中断，对外发信已停"
		}
		return fmt.Sprintf("数据库恢复后，档案中有%d封已发信件未登记，对外发信已停", n.N)
	case NeedVersions:
		return "政策、日历或者模板与已载入的版本不一致，程序不编制信件"
	case NeedSlots:
		return fmt.Sprintf("应运行而未完成的作业%d次", n.N)
	case NeedPaused:
		return "对外发信已暂停"
	case NeedBrake:
		return "邮件服务器连续拒收，发信暂缓，到时自动恢复"
	case NeedUnknown:
		return fmt.Sprintf("是否送达不明的信件%d封", n.N)
	case NeedFailed:
		return fmt.Sprintf("近期被退回的信件%d封", n.N)
	case NeedRelease:
		return fmt.Sprintf("待人工放行的信件和公文拟稿%d件", n.N)
	case NeedAddress:
		return fmt.Sprintf("邮件送达不到的单位%d家", n.N)
	case NeedHolidays:
		return fmt.Sprintf("%d年节假日安排尚未录入，周一至周五均按工作日推算", n.N)
	}
	return string(n.What)
}

// slotsWords say which slots are missing.
func slotsWords(n Need) string {
	names := make([]string, len(n.Jobs))
	for i, j := range n.Jobs {
		names[i] = jobWords(j)
	}
	how := "无记录"
	switch n.State {
	case run.Planned:
		how = "未开始"
	case run.Running:
		how = "中断"
	case run.Failed:
		how = "失败"
	case run.Done, run.Skipped:
	}
	return spanWords(n.From, n.To) + strings.Join(names, "、") + how
}

// spanWords are a day, or the days from the first to the last.
func spanWords(from, to civil.Date) string {
	if to == from {
		return dayOf(from)
	}
	return dayOf(from) + "至" + dayOf(to)
}

// jobWords are the jobs in Chinese.
func jobWords(job string) string {
	switch job {
	case "open":
		return "事项开立"
	case "monthly-close":
		return "月度汇总"
	case "quarterly-close":
		return "季度汇总"
	case "personnel":
		return "人员提示"
	case "remind":
		return "致单位工作提示"
	case "escalate":
		return "督办日报"
	case "health":
		return "运行日报"
	}
	return job
}

// slotsSection is the table of the day's runs.
func slotsSection(c Condition) notice.Section {
	if len(c.Slots) == 0 {
		return notice.Section{}
	}
	t := notice.Table{Columns: []notice.Column{{Name: "作业"}, {Name: "应于"}, {Name: "状态"}, {Name: "说明"}}}
	for _, s := range c.Slots {
		state, why, tone := slotWords(s)
		t.Rows = append(t.Rows, []notice.Cell{{Text: jobWords(s.Job)}, {Text: s.Due.Format("15:04")}, {Text: state, Tone: tone}, {Text: why}})
	}
	return notice.Section{Heading: "今日运行", Table: &t}
}

// slotWords says how a slot stands, and why.
func slotWords(s SlotStand) (state, why string, tone notice.Tone) {
	switch {
	case s.State == run.Done && s.Counts.Notices > 0:
		return "已完成", fmt.Sprintf("编制信件%d封", s.Counts.Notices), notice.Green
	case s.State == run.Done && s.Counts.Opened > 0:
		return "已完成", fmt.Sprintf("开立%d项次", s.Counts.Opened), notice.Green
	case s.State == run.Done:
		return "已完成", "无须发信", notice.Green
	case s.State == run.Skipped:
		return "不需运行", skipWords(s.Reason), notice.Plain
	case s.State == run.Failed:
		return "失败", s.Reason, notice.Red
	case s.State == run.Running && s.Late < stuck:
		return "运行中", "", notice.Plain
	case s.Late > 0:
		return "应运行未运行", "已迟" + spell(s.Late), notice.Red
	}
	return "未到时间", "", notice.Plain
}

// stuck is how late a slot is that is still running when it must have been left behind.
const stuck = time.Hour

// skipWords is the reason of a slot that was not to run.
func skipWords(reason string) string {
	if strings.HasPrefix(reason, "not a workday") {
		return "休息日"
	}
	if day, ok := strings.CutPrefix(reason, "covered by "); ok {
		return "由" + day + "的运行一并处理"
	}
	return reason
}

// spell is a length of time in Chinese.
func spell(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d分钟", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d小时", int(d.Hours()))
	}
	return fmt.Sprintf("%d天", int(d.Hours()/24))
}

// stateWords are the states of letters in Chinese, in the order of notice.States.
func stateWords(s notice.State) string {
	switch s {
	case notice.Pending:
		return "待发"
	case notice.Held:
		return "暂扣"
	case notice.Sending:
		return "正在发"
	case notice.Retry:
		return "待重发"
	case notice.Unknown:
		return "是否送达不明"
	case notice.Sent:
		return "已发出"
	case notice.Recorded:
		return "只记录未发"
	case notice.Failed:
		return "被退回"
	case notice.Superseded:
		return "并入后信"
	case notice.Cancelled:
		return "撤销"
	}
	return string(s)
}

// byState lists counts of letters.
func byState(n map[notice.State]int) string {
	var parts []string
	for _, s := range notice.States() {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s%d封", stateWords(s), n[s]))
		}
	}
	return strings.Join(parts, "，")
}

func lettersSection(c Condition) notice.Section {
	s := notice.Section{Heading: "信件", Paras: []string{"今日无信件。"}}
	if words := byState(c.Letters); words != "" {
		s.Paras = []string{"今日信件：" + words + "。"}
	}
	if words := byState(c.Waiting); words != "" {
		s.Paras = append(s.Paras, "连同以前的，现有："+words+"。")
	}
	return s
}

// aheadSection tells what runs next, which holidays are known, and which program this is.
func aheadSection(c Condition) notice.Section {
	s := notice.Section{Heading: "其他"}
	next := slices.Clone(c.Next)
	slices.SortStableFunc(next, func(a, b SlotStand) int { return a.Due.Compare(b.Due) })
	var words []string
	last := civil.Date(0)
	for _, n := range next {
		day := civil.In(n.Due, n.Due.Location())
		at := n.Due.Format("15:04") + jobWords(n.Job)
		if day != last {
			at, last = dayOf(day)+at, day
		}
		words = append(words, at)
	}
	if len(words) > 0 {
		s.Paras = append(s.Paras, "下次运行："+strings.Join(words, "、")+"。")
	}
	s.Paras = append(s.Paras, fmt.Sprintf("节假日安排已有至%d年；程序版本%s。", c.HolidaysTo, c.Version))
	return s
}
