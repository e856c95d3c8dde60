package ledger

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/task"
)

// Reader reads the text of a deadline cell, given the plan's date of issue.
type Reader func(text string, issued civil.Date) deadline.Reading

// PlanOptions overrides the labelled rows above the header. Zero values leave the file's own.
type PlanOptions struct {
	Jurisdiction string
	Code         string
	Title        string
	DocNumber    string
	Issued       civil.Date
	ValidTo      civil.Date
	// ReadDeadline defaults to deadline.Parse.
	ReadDeadline Reader
}

// PlanDraft is what a plan's ledger says. On and Seq of its values are not set: they are the import's.
type PlanDraft struct {
	Plan  task.Plan
	Tasks []task.Task
	// Notes lists what was skipped, and the open lists whose named units were taken.
	Notes []string
}

const (
	fSeq, fCode                     field = "seq", "code"
	fHeading, fSection, fTitle      field = "heading", "section", "title"
	fLead, fResp, fSupport, fGuide  field = "lead", "responsible", "support", "guide"
	fDeadline                       field = "deadline"
	fDeliverable, fEvidence         field = "deliverable", "evidence"
	fChannel, fSendTo, fOwes        field = "channel", "send_to", "owes"
	fChase, fValid, fDay, fCategory field = "chase", "valid_to", "report_day", "category"
	fName, fDoc, fIssued, fJuris    field = "name", "doc", "issued", "jurisdiction"
	fSigned, fPublished, fFigures   field = "signed", "published", "figures"
)

// words builds a table of headings from lists parted by spaces. A heading that two fields claim belongs to neither.
func words(pairs map[field]string) map[string]field {
	m := map[string]field{}
	for f, list := range pairs {
		for w := range strings.FieldsSeq(list) {
			if _, twice := m[w]; twice {
				m[w] = ""
				continue
			}
			m[w] = f
		}
	}
	return m
}

// planLayout is the ledger of a plan. title#1 are headings of the whole task, title#2 of the measure in it: where both
// stand, the measure is the title and the other the section.
func planLayout() layout {
	return layout{
		headings: words(map[field]string{
			fSeq:         "序号 顺序号 项次 NO. No. 序",
			fCode:        "编号 任务编号 事项编号 项目编号 任务序号",
			fHeading:     "一级任务 任务类别 工作类别 任务分类 重点领域 一级指标 大类 类别 领域",
			fSection:     "二级任务 二级指标 小类",
			"title#1":    "任务 工作任务 重点任务 主要任务 目标任务 任务事项 任务名称 重点工作 重点工作任务 工作事项 事项 工作项目 任务清单 任务项目 工作目标 工作要点 改革任务",
			"title#2":    "措施 任务措施 具体措施 工作措施 主要举措 重点举措 工作举措 具体举措 举措 具体任务 工作内容 任务内容 主要内容 具体内容 具体工作 具体工作任务 三级任务 落实措施 推进措施 主要措施 重点措施 具体事项 任务举措 具体工作措施 工作任务及措施 任务及措施",
			fLead:        "牵头单位 牵头部门 主责单位 主责部门 主办单位 牵头责任单位 牵头责任部门 牵头",
			fResp:        "责任单位 责任部门 责任主体 承办单位 落实单位 实施单位 负责单位 负责部门 具体责任单位 主要责任单位 共同责任单位 责任单位及部门 工作责任单位",
			fSupport:     "配合单位 配合部门 协办单位 参与单位 参加单位 协同单位 协助单位 配合责任单位 协同配合单位 参与部门 协办部门",
			fGuide:       "指导单位 指导部门",
			fDeadline:    "完成时限 时间节点 完成时间 办结时限 时限 时限要求 完成期限 时间要求 完成时间节点 时间安排 完成日期 办理时限 整改时限 完成时限要求 时间进度 工作时限",
			fDeliverable: "成果形式 工作成果 成果 成果要求 预期成果 成果体现",
			fEvidence:    "佐证材料 证明材料 印证材料",
			fChannel:     "报送方式",
			fSendTo:      "报送对象",
			fOwes:        "应报单位 owes",
			fChase:       "催办方式 chase",
			fValid:       "有效期至 valid_to",
			fDay:         "报告日 report_day",
			fCategory:    "事项类别",
			fFigures:     "填报指标 报送指标 统计指标",
		}),
		isHeader: func(s map[field]int) bool {
			return s[fTitle] > 0 && s[fDeadline]+s[fLead]+s[fResp]+s[fSupport] > 0 ||
				s[fSeq]+s[fCode] > 0 && s[fDeadline] > 0 && s[fLead]+s[fResp] > 0
		},
		settle: settleTitles,
		labels: words(map[field]string{
			fJuris: "行政区域代码", fCode: "方案代码 计划代码", fName: "方案名称 文件名称 文件标题 标题", fDoc: "文号 发文字号 文件编号 文件字号",
			fIssued: "印发日期 印发时间 发文日期 发文时间", fSigned: "成文日期 成文时间", fPublished: "发布日期 发布时间 公布日期", fValid: "有效期至 有效期",
		}),
		wanted: "序号, 任务 or 措施, 责任单位, 完成时限",
	}
}

// settleTitles sorts out 重点任务 beside 具体措施: the latter is the task's title, the former its section or heading.
func settleTitles(cols []column) string {
	var titles []*column
	has := map[field]bool{}
	for i := range cols {
		if cols[i].field == fTitle {
			titles = append(titles, &cols[i])
		}
		has[cols[i].field] = true
	}
	if len(titles) == 0 {
		return "no column of tasks or measures was found: name it 任务 or 措施"
	}
	if len(titles) == 2 && titles[0].rank != titles[1].rank {
		whole := titles[0]
		if whole.rank > titles[1].rank {
			whole = titles[1]
		}
		switch {
		case !has[fSection] && has[fHeading]:
			whole.field = fSection
		case !has[fHeading]:
			whole.field = fHeading
		}
	}
	if !has[fSeq] && !has[fCode] {
		return "no column 序号 or 编号 was found: every row needs a number that stays the same from file to file"
	}
	return ""
}

// Plan turns a book into the draft of a plan. The directory is that of the day the plan is imported for; units and
// groups are found in it by code, name, full name or alias. Every bad row is listed; with problems the draft must not
// be used. A deadline that cannot be read is no problem: the row is kept, and a person decides.
func Plan(book Book, dir task.Directory, opt PlanOptions) (PlanDraft, Problems) {
	if opt.ReadDeadline == nil {
		opt.ReadDeadline = deadline.Parse
	}
	t := planLayout().read(book)
	b := planBuilder{table: t, opt: opt, who: newDirectory(dir), probs: t.probs}
	b.draft.Notes = t.notes
	b.plan()
	if len(b.probs) > len(t.probs) && b.draft.Plan.Issued.IsZero() {
		b.draft.Plan.Issued = civil.Of(2000, 1, 1) // so that the rows are still checked
	}
	for _, r := range t.records {
		b.row(r)
	}
	if len(b.draft.Tasks) == 0 && len(b.probs) == 0 {
		b.probs = append(b.probs, Problem{File: book.Name, Reason: "the table below the header holds no rows"})
	}
	return b.draft, b.probs
}

type planBuilder struct {
	table            table
	opt              PlanOptions
	who              directory
	draft            PlanDraft
	probs            Problems
	heading, section string
	byCode           map[string]record
	byText           map[string]record
}

func (b *planBuilder) fail(p Problem) { b.probs = append(b.probs, p) }

var planCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// plan settles the plan's own particulars from flags and labelled rows.
func (b *planBuilder) plan() {
	p, lab := &b.draft.Plan, b.table.labels
	pick := func(flag string, f field) string {
		if flag != "" {
			return flag
		}
		return oneLine(lab[f].Value)
	}
	file := b.table.file
	p.Jurisdiction = pick(b.opt.Jurisdiction, fJuris)
	p.Code = pick(b.opt.Code, fCode)
	p.Title = pick(b.opt.Title, fName)
	p.DocNumber = pick(b.opt.DocNumber, fDoc)
	if p.Title == "" && len([]rune(b.table.title)) <= 100 {
		p.Title = b.table.title
	}
	if !identifier.MatchString(p.Jurisdiction) {
		b.fail(Problem{File: file, Row: lab[fJuris].Row, Column: "行政区域代码", Value: short(p.Jurisdiction), Reason: "the jurisdiction is not named: give --jurisdiction, or add a row 行政区域代码 above the header"})
	}
	switch {
	case p.Code == "":
		b.fail(Problem{File: file, Column: "方案代码", Reason: "the plan has no code: add a row 方案代码 above the header, or give --code"})
	case !planCode.MatchString(p.Code):
		b.fail(Problem{File: file, Row: lab[fCode].Row, Column: "方案代码", Value: short(p.Code), Reason: "a plan's code is made of letters, digits, dots and hyphens"})
	}
	if p.Title == "" {
		b.fail(Problem{File: file, Column: "方案名称", Reason: "the plan has no name: add a row 方案名称 above the header, or give --title"})
	}
	p.Issued = b.opt.Issued
	for _, f := range []field{fIssued, fSigned, fPublished} {
		if p.Issued.IsZero() && lab[f].Value != "" {
			p.Issued = b.labelDate(lab[f])
			if p.Issued.IsZero() {
				break
			}
		}
	}
	if p.Issued.IsZero() && lab[fIssued].Value == "" && lab[fSigned].Value == "" && lab[fPublished].Value == "" {
		b.fail(Problem{File: file, Column: "印发日期", Reason: "the plan has no date of issue, so no deadline can be read: add a row 印发日期 above the header, or give --issued"})
	}
	p.ValidTo = b.opt.ValidTo
	if p.ValidTo.IsZero() && lab[fValid].Value != "" {
		p.ValidTo = b.labelDate(lab[fValid])
	}
}

func (b *planBuilder) labelDate(p Problem) civil.Date {
	d, err := date(p.Value)
	if err != nil {
		p.Value, p.Reason = short(p.Value), err.Error()
		b.fail(p)
	}
	return d
}

var (
	headingStart = regexp.MustCompile(`^[一二三四五六七八九十]+、`)
	sectionStart = regexp.MustCompile(`^[（(][一二三四五六七八九十]+[）)]`)
)

// row turns one record into a task, or says what is wrong with it.
func (b *planBuilder) row(r record) {
	file := b.table.file
	first := oneLine(firstText(r))
	code := b.code(r)
	title := oneLine(r.text(fTitle))
	if isNote(first) || r.alone != "" && isNote(r.alone) {
		b.note(r, first)
		return
	}
	if r.alone != "" && !anyBad(r) && b.lone(r, code) {
		return
	}
	b.headings(r)
	n := len(b.probs)
	r.bad(file, &b.probs)
	if title == "" && r.cells[fTitle].Bad == "" {
		b.fail(r.problem(file, fTitle, "the row has no task or measure"))
	}
	if b.checkCode(r, code); len(b.probs) == n && b.duplicate(r, title) {
		return
	}
	t := task.Task{
		TaskID: task.TaskID{Jurisdiction: b.draft.Plan.Jurisdiction, Plan: b.draft.Plan.Code, Row: code},
		Order:  len(b.draft.Tasks) + 1, Heading: b.heading, Section: b.section, Title: title,
		Deliverable: oneLine(r.text(fDeliverable)), Evidence: oneLine(r.text(fEvidence)),
		Channel: oneLine(r.text(fChannel)), SendTo: oneLine(r.text(fSendTo)),
		Parser: deadline.Version, Source: strings.TrimSpace(file + " " + place(r.sheet, r.row)),
	}
	b.particulars(r, &t)
	b.parties(r, &t)
	b.readDeadline(r, &t)
	b.draft.Tasks = append(b.draft.Tasks, t)
}

// lone reads a row that holds one text: a heading over the rows below, or a note. A number without anything else, and
// a measure without a number, are bad rows and left to the caller.
func (b *planBuilder) lone(r record, code string) bool {
	switch {
	case headingStart.MatchString(r.alone):
		b.heading, b.section = r.alone, ""
	case sectionStart.MatchString(r.alone):
		b.section = r.alone
	case code != "" && len(code) <= 12 && !strings.ContainsFunc(code, func(c rune) bool { return unicode.Is(unicode.Han, c) }):
		return false
	case code == "" && r.text(fTitle) != "" && !r.cells[fTitle].Merged:
		return false
	default:
		b.note(r, r.alone)
	}
	return true
}

func (b *planBuilder) note(r record, text string) {
	b.draft.Notes = append(b.draft.Notes, place(r.sheet, r.row)+"not read as a task: 「"+short(text)+"」")
}

func anyBad(r record) bool {
	for c := range maps.Values(r.cells) {
		if c.Bad != "" {
			return true
		}
	}
	return false
}

// firstText returns the first text of the record, in the order a note or heading would stand.
func firstText(r record) string {
	for _, f := range []field{fSeq, fCode, fHeading, fSection, fTitle} {
		if s := r.text(f); s != "" {
			return s
		}
	}
	return r.alone
}

// headings keeps the first- and second-level task: a merged or blank cell means "as above".
func (b *planBuilder) headings(r record) {
	if h := oneLine(r.text(fHeading)); h != "" && h != b.heading {
		b.heading, b.section = h, ""
	}
	if s := oneLine(r.text(fSection)); s != "" {
		b.section = s
	}
}

// code returns the row's code: 编号, else 序号.
func (b *planBuilder) code(r record) string {
	f := fCode
	if r.text(fCode) == "" {
		f = fSeq
	}
	s := strings.TrimSpace(norm.NFKC.String(oneLine(r.text(f))))
	return strings.TrimRight(s, "、.)")
}

func (b *planBuilder) checkCode(r record, code string) {
	f := fCode
	if r.text(fCode) == "" && b.table.columns[fSeq] {
		f = fSeq
	}
	file := b.table.file
	if code == "" {
		if r.cells[f].Bad == "" {
			b.fail(r.problem(file, f, "the row has no 序号 or 编号: give it a number, or begin the row with 注： if it is a note"))
		}
		return
	}
	if len([]rune(code)) > 32 || strings.ContainsFunc(code, func(c rune) bool { return c == '/' || unicode.IsSpace(c) || !unicode.IsPrint(c) }) {
		b.fail(r.problem(file, f, "a row's number holds no space and no slash and at most 32 characters"))
		return
	}
	if b.byCode == nil {
		b.byCode, b.byText = map[string]record{}, map[string]record{}
	}
	if old, twice := b.byCode[code]; twice {
		b.fail(r.problem(file, f, "the number %s stands in %sas well: give each row its own 编号 (the first: 「%s」)", code, place(old.sheet, old.row), short(oneLine(old.text(fTitle)))))
		return
	}
	b.byCode[code] = r
}

// duplicate reports a row that repeats another word by word under another number.
func (b *planBuilder) duplicate(r record, title string) bool {
	key := strings.Join([]string{b.heading, b.section, title, r.text(fLead), r.text(fResp), r.text(fSupport), r.text(fDeadline)}, "\x00")
	if old, twice := b.byText[key]; twice {
		b.fail(r.problem(b.table.file, fTitle, "the row repeats %sword by word: remove one", place(old.sheet, old.row)))
		return true
	}
	b.byText[key] = r
	return false
}

// particulars reads the columns with a fixed vocabulary.
func (b *planBuilder) particulars(r record, t *task.Task) {
	file := b.table.file
	var ok bool
	if s := r.text(fChase); s != "" {
		if t.Chase, ok = chases[heading(s)]; !ok {
			b.fail(r.problem(file, fChase, "%s", chaseWords))
		}
	}
	if s := r.text(fCategory); s != "" {
		if t.Category, ok = categories[heading(s)]; !ok {
			b.fail(r.problem(file, fCategory, "want 长期, 人员, 逐案 or 检查, or nothing"))
		}
	}
	if s := r.text(fValid); s != "" {
		d, err := date(s)
		if err != nil {
			b.fail(r.problem(file, fValid, "%v", err))
		}
		t.ValidTo = d
	}
	if s := r.text(fDay); s != "" {
		n, err := strconv.Atoi(strings.TrimSuffix(heading(s), "日"))
		if err != nil || n < 1 || n > 31 {
			b.fail(r.problem(file, fDay, "want the day of the month, from 1 to 31"))
		} else {
			t.ReportDay = n
		}
	}
	t.Fields = b.figures(r)
}

const (
	maxFigures    = 30
	maxFigureName = 30 // characters; a figure's name heads a column
)

// figures reads the names of the figures that a return carries. A ledger without the column says nothing of them: nil, as
// against none.
func (b *planBuilder) figures(r record) []string {
	if !b.table.columns[fFigures] {
		return nil
	}
	names := []string{}
	for _, word := range strings.FieldsFunc(r.text(fFigures), func(c rune) bool { return strings.ContainsRune("、，,；;\n", c) }) {
		name := strings.Join(strings.Fields(norm.NFKC.String(word)), " ")
		switch {
		case name == "":
		case slices.Contains(names, name):
			b.fail(r.problem(b.table.file, fFigures, "「%s」 is named twice", name))
		case utf8.RuneCountInString(name) > maxFigureName, strings.ContainsFunc(name, func(c rune) bool { return c == '=' || !unicode.IsPrint(c) }):
			b.fail(r.problem(b.table.file, fFigures, "want the names of figures, parted by 、, each of at most %d characters and without =", maxFigureName))
		default:
			names = append(names, name)
		}
	}
	if len(names) > maxFigures {
		b.fail(r.problem(b.table.file, fFigures, "want at most %d figures", maxFigures))
	}
	return names
}

const chaseWords = "want 发函 (letter), 仅知悉 (courtesy), 人工 (manual) or 不发 (none)"

var (
	chases = map[string]task.Chase{
		"发函": task.ChaseLetter, "letter": task.ChaseLetter, "仅知悉": task.ChaseCourtesy, "courtesy": task.ChaseCourtesy,
		"人工": task.ChaseManual, "manual": task.ChaseManual, "不发": task.ChaseNone, "none": task.ChaseNone,
	}
	categories = map[string]task.Category{
		"长期": task.Standing, "standing": task.Standing, "人员": task.Personnel, "personnel": task.Personnel,
		"逐案": task.PerCase, "per-case": task.PerCase, "检查": task.Inspection, "inspection": task.Inspection,
	}
)

// readDeadline freezes the reading of the deadline cell.
func (b *planBuilder) readDeadline(r record, t *task.Task) {
	c := r.cells[fDeadline]
	t.DeadlineText = strings.TrimSpace(c.Text)
	if c.Number {
		hint := "write the deadline as text"
		if v, err := strconv.ParseFloat(c.Text, 64); err == nil && v >= 36526 && v < 73051 {
			hint = fmt.Sprintf("if it is the date %s, format the cell as a date or write the date as text", civil.Of(1899, 12, 30)+civil.Date(v))
		}
		b.fail(r.problem(b.table.file, fDeadline, "the cell holds a bare number, not a deadline: %s", hint))
	}
	if t.DeadlineText == "" && t.Category != task.Ordinary {
		t.Reading = deadline.Reading{Understood: true, Standing: t.Category == task.Standing,
			Milestones: []deadline.Milestone{}, Alternatives: []civil.Date{}, Recurrences: []deadline.Recurrence{}}
		return
	}
	t.Reading = b.opt.ReadDeadline(t.DeadlineText, b.draft.Plan.Issued)
}

var dateText = regexp.MustCompile(`^(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日?)(?:[ T].*)?$`)

// The years that a file's dates may lie in; others are slips of the pen that the database would refuse without a row.
const (
	firstYear = 1900
	lastYear  = 2200
)

// date reads a date as files write it: 2024-06-05, 2024/6/5, 2024.6.5, 2024年6月5日.
func date(s string) (civil.Date, error) {
	m := dateText.FindStringSubmatch(strings.TrimSpace(norm.NFKC.String(s)))
	if m == nil {
		return 0, fmt.Errorf("want a date such as 2024-06-30 or 2024年6月30日")
	}
	var n []int
	for _, g := range m[1:] {
		if g != "" {
			v, _ := strconv.Atoi(g)
			n = append(n, v)
		}
	}
	if !civil.Valid(n[0], monthOf(n[1]), n[2]) {
		return 0, fmt.Errorf("there is no such day in the calendar")
	}
	if n[0] < firstYear || n[0] > lastYear {
		return 0, fmt.Errorf("want a year from %d to %d", firstYear, lastYear)
	}
	return civil.Of(n[0], monthOf(n[1]), n[2]), nil
}
