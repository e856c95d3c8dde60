package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/schollz/progressbar/v3"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/notify/compose"
	"duban/notify/file"
	"duban/notify/notice"
	"duban/store"
)

// printForesight prints what a range comes to: JSON lines, or for people a calendar, the readers with most letters, and the
// letters themselves where they are few or asked for.
func (a *app) printForesight(saw foresight, every bool) error {
	letters := slices.SortedFunc(slices.Values(saw.letters), byLetter)
	if a.asJSON() {
		return list(a, letters, nil, nil)
	}
	states := map[string]int{}
	for _, l := range letters {
		states[l.State]++
	}
	var words []string
	for _, s := range sortedKeys(states) {
		words = append(words, fmt.Sprintf("%d %s", states[s], s))
	}
	a.say("%s to %s, %s: %s%s", saw.from, saw.to, strings.Join(saw.codes, ", "), many(len(letters), "letter"), bracketed(words))
	if len(letters) == 0 {
		return nil
	}
	if err := a.printCalendar(saw, letters); err != nil {
		return err
	}
	a.printReaders(letters)
	const few = 60
	if len(letters) > few && !every {
		a.say("\n--letters lists all %d letters, --output json prints them for a program, --html DIR opens them in a browser", len(letters))
		return nil
	}
	a.say("")
	return list(a, letters, []string{"date", "jurisdiction", "unit", "kind", "state", "to", "subject"}, func(l foreseen) []string {
		to := strings.Join(l.To, " ")
		says := l.Subject
		switch {
		case l.Removed != "":
			says = l.Reason
		case to == "":
			to = "(nobody)"
		}
		return []string{l.Date.String(), l.Jurisdiction, l.Unit, l.Kind, l.State, to, says}
	})
}

func bracketed(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// printCalendar prints the months of the range, a week a line: how many letters each day has. A day off is in brackets, by
// the calendar of the first jurisdiction; a dot is a day outside the range.
func (a *app) printCalendar(saw foresight, letters []foreseen) error {
	set, err := a.policies.settings(saw.codes[0])
	if err != nil {
		return err
	}
	perDay := map[civil.Date]int{}
	for _, l := range letters {
		perDay[l.Date]++
	}
	for first := firstOf(saw.from); first <= saw.to; first = first.AddMonths(1) {
		total := 0
		for d := first; d < first.AddMonths(1); d++ {
			total += perDay[d]
		}
		a.say("\n%s  %s\n   Mo    Tu    We    Th    Fr    Sa    Su", first.String()[:7], many(total, "letter"))
		for week := first - civil.Date(weekday(first)); week < first.AddMonths(1); week += 7 {
			var b strings.Builder
			for d := week; d < week+7; d++ {
				cell := ""
				switch off := !set.Calendar.Day(d).Workday; {
				case d < first || d >= first.AddMonths(1):
				case d < saw.from || d > saw.to:
					cell = ". "
				case off && perDay[d] > 0:
					cell = fmt.Sprintf("(%d)", perDay[d])
				case off:
					cell = "( )"
				case perDay[d] > 0:
					cell = fmt.Sprintf("%d ", perDay[d])
				default:
					cell = "- "
				}
				fmt.Fprintf(&b, "%6s", cell)
			}
			a.say("%s", strings.TrimRight(b.String(), " "))
		}
	}
	a.say("\n- a working day without a letter, ( ) a day off, . outside the range")
	return nil
}

// weekday counts from Monday, 0.
func weekday(d civil.Date) int { return (int(d.Weekday()) + 6) % 7 }

// reader is whom letters go to: a unit in a role.
type reader struct{ jurisdiction, unit, role string }

// shownReaders is how many readers the histogram shows.
const shownReaders = 20

// printReaders prints how many letters the readers get who get most, and warns of storms.
func (a *app) printReaders(letters []foreseen) {
	n, names := map[reader]int{}, map[reader]string{}
	for _, l := range letters {
		r := reader{l.Jurisdiction, l.Unit, l.Role}
		n[r]++
		names[r] = l.UnitName
	}
	readers := slices.SortedFunc(maps.Keys(n), func(x, y reader) int {
		if n[x] != n[y] {
			return n[y] - n[x]
		}
		return strings.Compare(x.jurisdiction+x.unit+x.role, y.jurisdiction+y.unit+y.role)
	})
	a.say("\nletters by reader (%d readers)", len(readers))
	const width = 40
	most := n[readers[0]]
	for _, r := range readers[:min(len(readers), shownReaders)] {
		label := fmt.Sprintf("%s %s %s", r.jurisdiction, names[r], r.role)
		a.say("  %s %4d %s", runewidth.FillRight(runewidth.Truncate(label, 44, "…"), 44), n[r], strings.Repeat("#", max(1, n[r]*width/most)))
	}
	storms := a.storms(letters)
	for _, s := range storms[:min(len(storms), shownReaders)] {
		a.say("  storm: %s", s)
	}
	if len(storms) > shownReaders {
		a.say("  storm: and %d more", len(storms)-shownReaders)
	}
}

// stormOver is how many letters of one day are a storm where they are several times as many as on a usual day.
const (
	stormOver  = 50
	stormTimes = 4
)

// storms are the days with several times as many letters as usual, and the readers with more letters in a week than the
// jurisdiction's cap lets them have, that of the week's first working day included.
func (a *app) storms(letters []foreseen) []string {
	type week struct {
		reader
		monday civil.Date
	}
	perWeek, perDay := map[week]int{}, map[civil.Date]int{}
	for _, l := range letters {
		perDay[l.Date]++
		if l.Kind != notice.BureauDigest { // the bureau asked to be told daily
			perWeek[week{reader{l.Jurisdiction, l.UnitName, l.Role}, l.Date - civil.Date(weekday(l.Date))}]++
		}
	}
	days := slices.Sorted(maps.Keys(perDay))
	counts := slices.Sorted(maps.Values(perDay))
	usual := counts[len(counts)/2]
	var out []string
	for _, d := range days {
		if perDay[d] >= stormOver && perDay[d] >= stormTimes*usual {
			out = append(out, fmt.Sprintf("%s has %d letters, a usual day %d", d, perDay[d], usual))
		}
	}
	weeks := slices.SortedFunc(maps.Keys(perWeek), func(x, y week) int {
		if x.monday != y.monday {
			return int(x.monday - y.monday)
		}
		return strings.Compare(x.jurisdiction+x.unit+x.role, y.jurisdiction+y.unit+y.role)
	})
	for _, w := range weeks {
		most := a.cfg.Jurisdiction(w.jurisdiction).WeeklyCap
		if most > 0 && perWeek[w] > most+1 {
			out = append(out, fmt.Sprintf("%s %s (%s) gets %d letters in the week of %s", w.jurisdiction, w.unit, w.role, perWeek[w], w.monday))
		}
	}
	return out
}

// freshFolder refuses a folder that holds anything.
func freshFolder(command, flag, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s: --%s %s: %w", command, flag, dir, err)
	}
	if len(entries) > 0 {
		return usagef("%s: --%s %s is not empty; name a folder that is, or one to be made", command, flag, dir)
	}
	return nil
}

// writeMailbox writes the letters of the foresight as .eml with their pages and an index, and returns how many.
func (a *app) writeMailbox(ctx context.Context, copied *store.Store, saw foresight, dir string) (n int, err error) {
	wanted := make(map[string]bool, len(saw.letters))
	for _, l := range saw.letters {
		wanted[l.ID] = true
	}
	to := &file.Transport{Dir: filepath.Join(dir, "letters"), Pages: true}
	var entries []file.IndexEntry
	for _, code := range saw.codes {
		sender, err := a.mailOf(code)
		if err != nil {
			return n, err
		}
		composer, err := compose.New(sender)
		if err != nil {
			return n, err
		}
		err = a.eachLetter(ctx, copied, notice.Filter{Jurisdiction: code, From: saw.from, To: saw.to}, func(l notice.Notice) error {
			if !wanted[l.ID] {
				return nil
			}
			msgs, errs := composer.All(l)
			n += min(1, len(msgs)) // nobody may be there to read a draft
			for i, msg := range msgs {
				if errs[i] != nil {
					return fmt.Errorf("compose letter %s: %w", l.ID, errs[i])
				}
				if r := to.Send(ctx, msg, nil); r.Outcome != notice.OutcomeAccepted {
					return errors.New(r.Reply)
				}
				e := file.Entry(l, msg)
				e.Path, e.HTML = path.Join("letters", e.Path), ""
				if e, err = file.WritePage(dir, e); err != nil { // an index of a year does not hold its workbooks
					return err
				}
				entries = append(entries, e)
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	return n, file.WriteIndex(dir, "本目录为预览，不表示信函已经发出", entries)
}

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct{ bar *progressbar.ProgressBar }

// bar counts the days of a span on standard error, with the time that is left, where that is a terminal.
func (a *app) bar(sp span, what string) progress {
	f, ok := a.err.(*os.File)
	if !ok || a.flags.quiet {
		return progress{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return progress{}
	}
	return progress{progressbar.NewOptions(int(sp.to-sp.from+1)*len(sp.codes),
		progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what), progressbar.OptionSetPredictTime(true),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionEnableColorCodes(!a.flags.noColor))}
}

func (p progress) tick() {
	if p.bar != nil {
		_ = p.bar.Add(1) // a bar that cannot be drawn stops nothing
	}
}

func (p progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// bounds says which days a span holds, for messages.
func (sp span) bounds() string {
	s := fmt.Sprintf("%s from %s to %s (%s)", sp.job, sp.from, sp.to, strings.Join(sp.codes, ", "))
	if sp.mode != run.RecordOnly {
		s += " in mode " + string(sp.mode)
	}
	return s
}
