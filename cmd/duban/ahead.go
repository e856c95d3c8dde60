package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/archive"
	"duban/notify/notice"
	"duban/store"
)

// archiveMark is how far the archive of a jurisdiction was compared with the database and found to be known there. It is
// kept in the database, so that one that was restored from a backup looks again at what came after the backup.
type archiveMark struct {
	// Journals are the lengths that were read, by date, of the newest folders; Older is the sum of the others'.
	Journals map[string]int64 `json:"journals"`
	Older    int64            `json:"older"`
}

const (
	// watchedDays are the newest folders of a jurisdiction that are looked at one by one: a formal letter leaves into the
	// folder of the day it was drafted on, some weeks before.
	watchedDays = 60
	// firstDays are those that are looked at where nothing was ever compared.
	firstDays = 15
)

func archiveMarkName(code string) string { return "archive_" + code }

func readArchiveMark(ctx context.Context, s *store.Store, code string) (m archiveMark, known bool, err error) {
	text, err := s.Meta(ctx, archiveMarkName(code))
	if errors.Is(err, task.ErrNotFound) {
		return m, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &m)
	}
	if err != nil {
		return m, false, fmt.Errorf("read how far the archive of %s was compared: %w", code, err)
	}
	return m, true, nil
}

func (m archiveMark) save(ctx context.Context, s *store.Store, code string) error {
	text, err := json.Marshal(m)
	if err == nil {
		err = s.SetMeta(ctx, archiveMarkName(code), string(text))
	}
	if err != nil {
		return fmt.Errorf("keep how far the archive of %s was compared: %w", code, err)
	}
	return nil
}

// comparison is what the archive knows of a jurisdiction's letters and the database does not.
type comparison struct {
	unknown  []archive.Acceptance // by day and in the order they were written
	mark     archiveMark          // as it may be kept now
	was      archiveMark
	compared bool // there was a mark before
}

// compareArchive reads what the archive holds since it was compared last. Letters of a trial run reached nobody and are
// left out.
func compareArchive(ctx context.Context, s *store.Store, arch *archive.Archive, code string) (c comparison, err error) {
	if c.was, c.compared, err = readArchiveMark(ctx, s, code); err != nil {
		return c, err
	}
	days, err := arch.Days(code)
	if err != nil {
		return c, err
	}
	since, err := lookedSince(ctx, s, c, days, code)
	if err != nil {
		return c, err
	}
	c.mark = archiveMark{Journals: map[string]int64{}}
	newest := max(0, len(days)-watchedDays)
	older := c.olderGrew(days[:newest])
	for i, d := range days {
		if d.Journal == 0 {
			continue
		}
		from := c.was.Journals[d.Date.String()]
		switch {
		case i < newest && !older && c.compared, !c.compared && d.Date < since:
			from = d.Journal
		case i < newest || from > d.Journal: // another journal than was read
			from = 0
		}
		end, err := c.day(ctx, s, arch, code, d, from)
		if err != nil {
			return c, err
		}
		if i < newest {
			c.mark.Older += end
		} else {
			c.mark.Journals[d.Date.String()] = end
		}
	}
	return c, nil
}

// lookedSince is the first day that is looked at where nothing was ever compared: the newest folders, and all since the
// letters were last planned here.
func lookedSince(ctx context.Context, s *store.Store, c comparison, days []archive.Day, code string) (civil.Date, error) {
	if c.compared || len(days) == 0 {
		return 0, nil
	}
	last, err := s.LastSettled(ctx, "remind", code)
	first := days[max(0, len(days)-firstDays)].Date
	if last != 0 {
		first = min(first, last)
	}
	return first, err
}

// olderGrew reports whether the journals of folders that are not watched one by one are not those that were read.
func (c comparison) olderGrew(days []archive.Day) bool {
	known, sum := c.was.Older, int64(0)
	for _, d := range days {
		sum += d.Journal
		known += c.was.Journals[d.Date.String()]
	}
	return sum != known
}

// day compares a journal from the offset on, and returns up to where it is known.
func (c *comparison) day(ctx context.Context, s *store.Store, arch *archive.Archive, code string, d archive.Day, from int64) (int64, error) {
	if from == d.Journal {
		return from, nil
	}
	list, end, err := arch.ReadFrom(code, d.Date, from)
	if err != nil {
		return from, err
	}
	proofs := make([]notice.Proof, len(list))
	for i, acc := range list {
		proofs[i] = proofOf(acc)
	}
	missing, err := s.Unknown(ctx, proofs)
	if err != nil {
		return from, err
	}
	strange := map[string]bool{}
	for _, p := range missing {
		strange[copyKey(p.Notice, p.Email, p.Copy)] = true
	}
	known := true
	for _, acc := range list {
		key := copyKey(acc.Notice, acc.To, acc.Copy)
		if !strange[key] {
			continue
		}
		delete(strange, key) // a line may stand there twice
		if !isTrial(arch, acc) {
			c.unknown, known = append(c.unknown, acc), false
		}
	}
	if known {
		return end, nil
	}
	return from, nil
}

// copyKey names one recipient's copy of a letter.
func copyKey(id, email string, isCopy bool) string {
	return fmt.Sprint(id, "|", strings.ToLower(email), "|", isCopy)
}

// isTrial reports whether what was accepted is known to be of a trial run, which its readers never had.
func isTrial(arch *archive.Archive, acc archive.Acceptance) bool {
	data, err := arch.Bytes(acc.Jurisdiction, acc.Date, acc.MessageID, acc.SHA256)
	if err != nil { // a letter of which the bytes are lost left all the same
		return false
	}
	l, err := archive.Parse(data)
	return err == nil && l.Trial()
}

// proofOf is an acceptance as the database keeps it.
func proofOf(acc archive.Acceptance) notice.Proof {
	return notice.Proof{Notice: acc.Notice, Jurisdiction: acc.Jurisdiction, Date: acc.Date, Receipt: notice.Receipt{
		Email: acc.To, Copy: acc.Copy, Outcome: notice.OutcomeAccepted, Phase: notice.PhaseAnswer, Code: acc.Code, Enhanced: acc.Enhanced,
		Reply: acc.Reply, SHA256: acc.SHA256, Bytes: acc.Bytes, Worker: acc.Worker, At: acc.At,
	}}
}

// archiveGap says of which letters the archive knows that they left while the database does not.
type archiveGap struct {
	Dir string       `json:"dir"`
	Of  []missedDays `json:"of"` // by jurisdiction
}

// missedDays are the letters of one jurisdiction.
type missedDays struct {
	Jurisdiction string       `json:"jurisdiction"`
	Letters      int          `json:"letters"`
	Days         []civil.Date `json:"days"`
}

// Empty reports whether the database knows all that the archive does.
func (g archiveGap) Empty() bool { return len(g.Of) == 0 }

// Letters is how many there are in all.
func (g archiveGap) Letters() (n int) {
	for _, m := range g.Of {
		n += m.Letters
	}
	return n
}

// String says what is the matter and what to do.
func (g archiveGap) String() string {
	var of []string
	for _, m := range g.Of {
		if m.Letters == 0 {
			return fmt.Sprintf("taking over what the archive %s knows of %s was interrupted; go on with `duban outbox reconcile --archive %s --by NAME`", g.Dir, m.Jurisdiction, g.Dir)
		}
		of = append(of, fmt.Sprintf("%d of %s dated %s", m.Letters, m.Jurisdiction, someDays(m.Days)))
	}
	return fmt.Sprintf("the archive %s holds letters that left and that this database does not know (%s): it was restored from a backup, or the archive is another database's. "+
		"Take over what it knows with `duban outbox reconcile --archive %s --by NAME`; with --dry-run first, to see what that comes to",
		g.Dir, strings.Join(of, ", "), g.Dir)
}

// someDays names the first and the last of many days.
func someDays(days []civil.Date) string {
	const few = 3
	if len(days) > few {
		return fmt.Sprintf("%s to %s", days[0], days[len(days)-1])
	}
	words := make([]string, len(days))
	for i, d := range days {
		words[i] = d.String()
	}
	return strings.Join(words, ", ")
}

// archiveAheadError keeps letters from leaving.
type archiveAheadError struct{ archiveGap }

func (e archiveAheadError) Error() string { return "no letters leave: " + e.String() }

// Refused implements jobs.Refusal: nothing leaves, and no later day is planned, until a person has taken over what is known.
func (e archiveAheadError) Refused() string { return e.Error() }

// missed counts the letters among acceptances.
func missed(code string, unknown []archive.Acceptance) missedDays {
	m := missedDays{Jurisdiction: code}
	seen := map[string]bool{}
	for _, acc := range unknown {
		if !seen[acc.Notice] {
			seen[acc.Notice] = true
			m.Letters++
		}
		if !slices.Contains(m.Days, acc.Date) {
			m.Days = append(m.Days, acc.Date)
		}
	}
	slices.Sort(m.Days)
	return m
}

// archiveFolder is the archive that letters of this configuration go through; empty: none does.
func (a *app) archiveFolder(code string) string {
	m := a.cfg.MailOf(code)
	if m.Transport == "file" {
		return ""
	}
	return m.ArchiveDir
}

// archiveGapOf looks at one jurisdiction. keep writes down how far the archive is known, so that it is not read again.
func (a *app) archiveGapOf(ctx context.Context, s *store.Store, code string, keep bool) (archiveGap, error) {
	g := archiveGap{Dir: a.archiveFolder(code)}
	if g.Dir == "" {
		return g, nil
	}
	arch, err := archive.Open(g.Dir)
	if err != nil {
		return g, err
	}
	c, err := compareArchive(ctx, s, arch, code)
	if err != nil {
		return g, err
	}
	if len(c.unknown) > 0 {
		g.Of = []missedDays{missed(code, c.unknown)}
	} else if u, err := readUnderway(ctx, s, code); err != nil || len(u.Days) > 0 { // it was interrupted
		g.Of = []missedDays{{Jurisdiction: code, Days: u.Days}}
		return g, err
	}
	if keep && (!c.compared || !c.mark.same(c.was)) {
		err = c.mark.save(ctx, s, code)
	}
	return g, err
}

func (m archiveMark) same(o archiveMark) bool {
	if m.Older != o.Older || len(m.Journals) != len(o.Journals) {
		return false
	}
	for d, n := range m.Journals {
		if o.Journals[d] != n {
			return false
		}
	}
	return true
}

// archiveAhead says of which letters of this database's jurisdictions the archive knows that they left while the database
// does not. It writes nothing. Jurisdictions that are in the archive alone are another database's.
func (a *app) archiveAhead(ctx context.Context, s *store.Store) (archiveGap, error) {
	g := archiveGap{Dir: a.archiveFolder("")}
	all, err := s.Jurisdictions(ctx)
	if err != nil {
		return g, err
	}
	for _, j := range all {
		one, err := a.archiveGapOf(ctx, s, j.Code, false)
		if err != nil {
			return g, err
		}
		g.Of = append(g.Of, one.Of...)
	}
	return g, nil
}

// archiveCheck looks whether the database knows what the archive does.
func (d *doctor) archiveCheck(ctx context.Context) []finding {
	g, err := d.archiveAhead(ctx, d.store)
	switch {
	case err != nil:
		return []finding{fail("", "%v", err)}
	case !g.Empty():
		return []finding{fail(g.command(), "%s", archiveAheadError{g})}
	case g.Dir == "":
		return []finding{good("none is kept: after a restore nothing would say what left since the backup")}
	}
	return []finding{good("the database knows all that %s does", g.Dir)}
}

// command is what takes over what the archive knows.
func (g archiveGap) command() string {
	return "duban outbox reconcile --archive " + g.Dir + " --by NAME"
}

// operationsKnown refuses to send the operations letters of a jurisdiction where the archive proves that one of those which are
// here has left. What else it knows keeps none of them back: they tell of it.
func (a *app) operationsKnown(ctx context.Context, s *store.Store, code string) error {
	dir := a.archiveFolder(code)
	arch, err := archive.Open(dir)
	if err != nil {
		return err
	}
	c, err := compareArchive(ctx, s, arch, code)
	if err != nil {
		return err
	}
	for _, acc := range c.unknown {
		n, err := s.Notice(ctx, acc.Notice)
		if err == nil && n.Key.Kind == notice.Operations {
			return archiveAheadError{archiveGap{Dir: dir, Of: []missedDays{missed(code, c.unknown)}}}
		}
		if err != nil && !errors.Is(err, task.ErrNotFound) {
			return err
		}
	}
	return nil
}

// lookAtArchive says where the archive keeps letters from leaving.
func (a *app) lookAtArchive(ctx context.Context, s *store.Store, row *statusRow) error {
	g, err := a.archiveGapOf(ctx, s, row.Jurisdiction, false)
	if err != nil || g.Empty() {
		return err
	}
	n := jobs.Need{What: jobs.NeedArchive, N: g.Letters(), Do: g.command()}
	why := "taking over what the archive knows was interrupted"
	if n.N > 0 {
		days := g.Of[0].Days
		n.From, n.To, n.Text = days[0], days[len(days)-1], many(n.N, "letter")+" of "+someDays(days)
		why = "the archive knows " + n.Text + " that this database, restored, does not"
	}
	row.Sending = sendingRow{State: sendingArchive, Why: why}
	reconcileFirst(row.Due, g)
	for i := range row.Needs {
		if row.Needs[i].What == jobs.NeedSlots {
			row.Needs[i].Do = n.Do
		}
	}
	row.Needs = slices.Insert(row.Needs, 0, n)
	return nil
}

// archiveKnown refuses to send letters of a jurisdiction, or of any where none is named, while the archive knows acceptances
// that the database does not: they would leave a second time.
func (a *app) archiveKnown(ctx context.Context, s *store.Store, code string) error {
	codes := []string{code}
	if code == "" {
		codes = nil
		all, err := s.Jurisdictions(ctx)
		if err != nil {
			return err
		}
		for _, j := range all {
			codes = append(codes, j.Code)
		}
	}
	for _, code := range codes {
		g, err := a.archiveGapOf(ctx, s, code, true)
		if err != nil {
			return err
		}
		if !g.Empty() {
			return archiveAheadError{g}
		}
	}
	return nil
}

// mayPlan refuses to plan a day while letters of an earlier one are known to the archive alone: that day has to be planned
// first, or all that was said on it would be said again under another date. The same day may be planned, since its letters
// get the IDs they had.
func (a *app) mayPlan(ctx context.Context, s *store.Store, code string, d civil.Date) error {
	g, err := a.archiveGapOf(ctx, s, code, false)
	if err != nil {
		return err
	}
	for _, m := range g.Of {
		if m.Days[0] < d {
			return fmt.Errorf("%s is not planned: %w", d, archiveAheadError{g})
		}
	}
	return nil
}
