package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/formal"
	"duban/jobs/period"
	"duban/jobs/task"
	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/notice"
)

// form is an issued document as the archive shows it.
type form struct {
	letter notice.Notice
	own    []archive.Acceptance
	marks  marks
}

func (r *reconciler) formOf(n notice.Notice, own []archive.Acceptance) form {
	f := form{letter: n, own: own}
	if l, ok := r.read(own[0]); ok {
		f.marks = documentMarks(l.Text)
	}
	return f
}

// issued sees to the documents that are here and were issued up to the day, by what the archive shows: what is planned after
// it knows of them.
func (r *reconciler) issued(ctx context.Context, accepted []archive.Acceptance, by civil.Date) error {
	of := map[string][]archive.Acceptance{}
	for _, acc := range accepted {
		if !r.restored[acc.Notice] {
			of[acc.Notice] = append(of[acc.Notice], acc)
		}
	}
	var forms []form
	for _, id := range slices.Sorted(maps.Keys(of)) {
		n, err := r.s.Notice(ctx, id)
		if errors.Is(err, task.ErrNotFound) || err == nil && !n.Key.Formal() {
			continue
		}
		if err != nil {
			return err
		}
		if f := r.formOf(n, of[id]); f.marks.date <= by {
			forms = append(forms, f)
			r.restored[id] = true
		}
	}
	slices.SortStableFunc(forms, func(a, b form) int { return cmp.Compare(a.marks.n, b.marks.n) })
	for _, f := range forms {
		if err := r.restore(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// restore gives a document that is a draft here the number and the date it was issued with; they are taken in the order of
// their numbers, so that the register goes on behind them. A draft that does not hold by what is known here is named with
// the command.
func (r *reconciler) restore(ctx context.Context, f form) error {
	n := f.letter
	out := reconciled{What: foundForm, Date: n.Key.Date, ID: n.ID, Unit: n.Key.Unit, Kind: n.Key.Kind, At: f.own[0].At, Number: f.marks.number}
	doc, err := r.s.Document(ctx, n.ID)
	if err != nil && !errors.Is(err, task.ErrNotFound) {
		return err
	}
	command := fmt.Sprintf("duban outbox release %s --number %s --by %s", n.ID, cmp.Or(f.marks.number, "NUMBER"), r.by)
	switch {
	case err != nil || doc.State != notice.Drafted:
		out.Says = "the archive proves that it left"
		if doc.Number != "" && f.marks.number != "" && doc.Number != f.marks.number {
			out.Says += fmt.Sprintf(" as %s, and here it is %s: mend the office's register", f.marks.number, doc.Number)
		}
	case f.marks.number == "" || f.marks.date.IsZero():
		out.Says, out.Command = "issued, but its number or date cannot be read in the archive; look there and release it, which sends nothing", command
	default:
		_, err := r.formalDesk(r.s).Release(ctx, formal.Release{ID: n.ID, By: r.by, Number: f.marks.number, Via: notice.ByMail, Today: f.marks.date})
		var refused formal.RefusedError
		switch {
		case err == nil:
			out.Says = fmt.Sprintf("issued as %s on %s, as in the archive", f.marks.number, f.marks.date)
		case errors.As(err, &refused), errors.Is(err, task.ErrExists):
			out.Says = fmt.Sprintf("issued as %s on %s, but not by what is known here: %v; enter what is missing, then release it, which sends nothing", f.marks.number, f.marks.date, err)
			out.Command = command
		default:
			return err
		}
	}
	r.add(out)
	return nil
}

// marks are a document's number and date as printed.
type marks struct {
	number string
	n      int
	date   civil.Date
}

var (
	// numberLine is a line that holds a document's number alone, or behind a label: 编号：崂法督〔2024〕12号.
	numberLine = regexp.MustCompile(`^(?:[^：〔〕]{1,8}：)?([^：〔〕（(\s]+〔[12][0-9]{3}〕([1-9][0-9]{0,8})号)$`)
	dateLine   = regexp.MustCompile(`^([12][0-9]{3})年([0-9]{1,2})月([0-9]{1,2})日$`)
)

// documentMarks finds them in the text of a formal letter: the first number that has a line of its own, and the date under
// the issuer's name.
func documentMarks(text string) (m marks) {
	for line := range strings.Lines(text) {
		line = strings.TrimFunc(line, func(r rune) bool { return r == '　' || r == ' ' || r == '\n' })
		if found := numberLine.FindStringSubmatch(line); found != nil && m.number == "" {
			m.number = found[1]
			m.n, _ = strconv.Atoi(found[2]) // digits, and few
		}
		if found := dateLine.FindStringSubmatch(line); found != nil {
			if d, err := civil.Parse(found[1] + "-" + twoDigits(found[2]) + "-" + twoDigits(found[3])); err == nil {
				m.date = d
			}
		}
	}
	return m
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// compare looks for what was entered after the backup: what stands in a letter as it is planned here and not in the one that
// left, and what the digests that left say came in.
func (r *reconciler) compare(ctx context.Context, order []string, of map[string][]archive.Acceptance, known map[string]notice.Notice) error {
	var entries []reconciled
	for _, id := range order {
		acc := of[id][0]
		l, ok := r.read(acc)
		if !ok {
			continue
		}
		n, planned := known[id]
		switch {
		case acc.Unit == r.bureau && (!planned || n.Key.Kind == notice.BureauDigest):
			more, err := r.digested(ctx, acc, l, n)
			if err != nil {
				return err
			}
			entries = append(entries, more...)
		case planned && n.Key.Kind == notice.UnitLetter:
			entries = append(entries, itemsApart(n, l.Text)...)
		}
	}
	// A digest says more of an item than that a letter left it out.
	named := map[string]bool{}
	for _, e := range entries {
		named[e.Ref] = named[e.Ref] || e.Kind == notice.BureauDigest && e.Ref != ""
	}
	seen := map[string]bool{}
	for _, e := range entries {
		key := e.Ref + "|" + e.Says
		if e.Kind == notice.UnitLetter && named[e.Ref] || seen[key] {
			continue
		}
		seen[key] = true
		r.add(e)
	}
	return nil
}

// itemsApart are the items that a letter has as it is planned here, and not as it left, and the other way round.
func itemsApart(n notice.Notice, text string) (out []reconciled) {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, bare(line))
	}
	said := make([]bool, len(lines))
	for _, it := range n.Facts.Items() {
		there := false
		for i, line := range lines {
			if holds(line, it) {
				there, said[i] = true, true
			}
		}
		if !there {
			out = append(out, reconciled{
				What: foundEnter, Date: n.Key.Date, ID: n.ID, Unit: n.Key.Unit, Kind: n.Key.Kind, Ref: it.Ref, Row: it.Row,
				Says: fmt.Sprintf("第%s项 %s: the letter that left did not ask for it, so it was answered, or is not owed", it.Row, it.Title),
			})
		}
	}
	for i, line := range lines {
		if itemLine.MatchString(line) && !said[i] {
			out = append(out, reconciled{
				What: foundEnter, Date: n.Key.Date, ID: n.ID, Unit: n.Key.Unit, Kind: n.Key.Kind,
				Says: "the letter that left also said: " + line,
			})
		}
	}
	return out
}

// itemLine is a numbered line of a letter that names a row.
var itemLine = regexp.MustCompile(`^[0-9]+\..*第[^第项]{1,40}项`)

// bare is a line without any space: letters are set with spaces of several kinds.
func bare(line string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(line, "　", " ")), "")
}

// enoughTitle are so many characters of a title as tell an item from the others of its row.
const enoughTitle = 10

// holds reports whether a line of a letter tells of an item: by its row and title and, where it has them, case and period.
func holds(line string, it notice.Item) bool {
	title := []rune(bare(it.Title))
	for _, part := range []string{"第" + bare(it.Row) + "项", string(title[:min(len(title), enoughTitle)]), bare(it.Case), bare(it.Period)} {
		if !strings.Contains(line, part) {
			return false
		}
	}
	return true
}

// changeHeading begins the section of a digest that tells what changed since the last.
const changeHeading = "较上期"

// entered are the words by which a digest tells of what staff recorded; others follow from the passing of days.
func entered() []string {
	return []string{"办结", "未在期限内审核、视为认可", "新报送", "退回重报", "新申请延期", "准予延期", "未准延期", "以其他方式告知", "暂缓催办", "恢复催办", "调整时限",
		"确认", "台账新增或修改", "条件具备或新发生事件", "暂停催办", "暂停期满或解除", "印发公文", "作废公文"}
}

var (
	sectionLine = regexp.MustCompile(`^[一二三四五六七八九十]+、`)
	pointLine   = regexp.MustCompile(`^[0-9]+\.`)
)

// changeLines are the lines of a digest's text that tell of what was recorded, without their numbers.
func changeLines(text string) (out []string) {
	within := false
	for line := range strings.Lines(text) {
		line = bare(line)
		if sectionLine.MatchString(line) {
			within = strings.Contains(line, changeHeading)
			continue
		}
		if !within || !pointLine.MatchString(line) {
			continue
		}
		line = strings.TrimRight(line[len(pointLine.FindString(line)):], "。")
		if slices.ContainsFunc(entered(), func(word string) bool { return strings.HasPrefix(line, word) }) {
			out = append(out, line)
		}
	}
	return out
}

// digested are what a digest that left says was recorded, and the one planned here, if there is one, does not.
func (r *reconciler) digested(ctx context.Context, acc archive.Acceptance, l archive.Letter, here notice.Notice) ([]reconciled, error) {
	lines := changeLines(l.Text)
	if len(lines) == 0 {
		return nil, nil
	}
	var known []string
	if here.ID != "" && len(here.Facts.Recipients) > 0 {
		m, err := r.mailOf(r.code)
		if err != nil {
			return nil, err
		}
		m.Seal = nil
		if msg, err := compose.Compose(here, 0, m); err == nil {
			known = changeLines(msg.Text)
		}
	}
	var out []reconciled
	for _, line := range lines {
		if slices.Contains(known, line) {
			continue
		}
		more, err := r.entries(ctx, acc, line, known)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// entries parts a line of changes into the items it names; one that names none by itself stays whole.
func (r *reconciler) entries(ctx context.Context, acc archive.Acceptance, line string, known []string) ([]reconciled, error) {
	dir, err := r.s.Directory(ctx, r.code)
	if err != nil {
		return nil, err
	}
	set, err := r.policies.settings(r.code)
	if err != nil {
		return nil, err
	}
	// What was entered before the working day before would stand in its digest. The unit is given the first day it may be.
	first := set.Calendar.Add(acc.Date, -1)
	units := dir.AsOf(acc.Date).Units
	whole := reconciled{What: foundEnter, Date: acc.Date, ID: acc.Notice, Kind: notice.BureauDigest, Says: "the digest of that day said: " + line}
	word, list, named := strings.Cut(line, "：")
	if !named {
		return []reconciled{whole}, nil
	}
	var out []reconciled
	for _, name := range strings.Split(list, "、") {
		if slices.ContainsFunc(known, func(k string) bool { return sameChange(k, word) && slices.Contains(changed(k), name) }) {
			continue
		}
		unit, row, part := namedItem(name, units)
		if unit == "" {
			return []reconciled{whole}, nil
		}
		f := whole
		f.Unit, f.Row = unit, row
		if f.Ref, err = r.refOf(ctx, unit, row, part); err != nil {
			return nil, err
		}
		f.Says = fmt.Sprintf("the digest of that day said: %s：%s", strings.TrimRight(word, "0123456789项次处件家"), name)
		if f.Ref != "" && strings.HasPrefix(word, "新报送") {
			f.Says += fmt.Sprintf(" (entered between %s and %s: ask on which day it was reported)", first, acc.Date)
			f.Command = fmt.Sprintf("duban obligations report %s --on %s --by %s", f.Ref, first, r.by)
		}
		out = append(out, f)
	}
	return out, nil
}

// sameChange reports whether two lines begin with the same word, whatever number is behind it.
func sameChange(line, word string) bool {
	count := func(s string) string {
		s, _, _ = strings.Cut(s, "：")
		return strings.TrimRight(s, "0123456789项次处件家")
	}
	return count(line) == count(word)
}

// changed are the names in a line of changes.
func changed(line string) []string {
	_, list, _ := strings.Cut(line, "：")
	return strings.Split(list, "、")
}

var itemName = regexp.MustCompile(`第([^第项]{1,40})项(?:（(.*)）)?$`)

// namedItem reads 区甲局第17项（9月） into the unit's code, the row and the part; no unit where it is none of these.
func namedItem(name string, units []task.Unit) (unit, row, part string) {
	found := itemName.FindStringSubmatch(name)
	if found == nil {
		return "", "", ""
	}
	longest := 0
	for _, u := range units {
		if u.Name != "" && len(u.Name) > longest && strings.HasPrefix(name, bare(u.Name)) {
			unit, longest = u.Code, len(u.Name)
		}
	}
	if unit == "" {
		return "", "", ""
	}
	return unit, found[1], found[2]
}

var partMonth = regexp.MustCompile(`^(?:([12][0-9]{3})年)?([0-9]{1,2})月$`)

// isPart reports whether a letter names the instance by the part: 9月, 2024年9月, 第二季度, 上半年. Of months the instance may
// say more.
func isPart(instance, part string) bool {
	if found := partMonth.FindStringSubmatch(part); found != nil {
		return strings.Contains(instance, found[1]+"-"+twoDigits(found[2]))
	}
	words := period.Key(instance).Chinese()
	_, within, _ := strings.Cut(words, "年")
	return part == words || part == within
}

// refOf finds the one obligation of a unit in a row, and of a period where one is named; none where it is not the only one.
func (r *reconciler) refOf(ctx context.Context, unit, row, part string) (string, error) {
	tasks, err := r.s.Tasks(ctx, r.code)
	if err != nil {
		return "", err
	}
	var ids []task.TaskID
	for _, t := range tasks {
		if t.Row == row && !slices.Contains(ids, t.TaskID) {
			ids = append(ids, t.TaskID)
		}
	}
	if len(ids) == 0 {
		return "", nil
	}
	refs, err := r.s.Opened(ctx, r.code, ids)
	if err != nil {
		return "", err
	}
	var fits []string
	for _, s := range refs {
		ref, err := task.ParseRef(s)
		if err == nil && ref.Unit == unit && (part == "" || isPart(ref.Instance, part)) {
			fits = append(fits, s)
		}
	}
	if len(fits) != 1 {
		return "", nil
	}
	return fits[0], nil
}
