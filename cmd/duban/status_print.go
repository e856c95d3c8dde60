package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"duban/jobs"
	"duban/jobs/run"
	"duban/notify/notice"
)

// printStatus prints one jurisdiction on one screen.
func (a *app) printStatus(r statusRow) {
	zone := a.policies.zone(r.Jurisdiction)
	fmt.Fprintf(a.out, "%s  %s  %s %s, %s; live from %s\n", r.Jurisdiction, r.Name, r.Today, r.now.Weekday(), r.Day, r.LiveFrom)
	fmt.Fprintf(a.out, "  sending %s; database %s\n", r.Sending.words(zone), a.cfg.Database.DSN)
	if len(r.Needs) > 0 && r.Needs[0].What == jobs.NeedArchive {
		fmt.Fprintf(a.out, "  RESTORED: first of all → %s\n", a.hints(r.Needs[0].Do))
	}
	if r.Paused != nil {
		fmt.Fprintf(a.out, "  PAUSED by %s: %s\n", r.Paused.Who, r.Paused.Why)
	}
	if r.RedirectTo != "" {
		fmt.Fprintf(a.out, "  TRIAL RUN: every letter goes to %s (mail.redirect_to), and counts as said\n", r.RedirectTo)
	}
	if r.Versions != "" {
		fmt.Fprintf(a.out, "  VERSIONS: %s\n", a.hints(r.Versions))
	}
	r.printSlots(a, zone)
	fmt.Fprintf(a.out, "  letters: %s\n", r.letters())
	for _, line := range slices.Concat(r.delivery(zone), r.waiting(zone), r.reach(zone), r.holders(zone)) {
		fmt.Fprintln(a.out, "  "+a.hints(line))
	}
	fmt.Fprintf(a.out, "  plans %d, rows %d (%d need a person), obligations %d (%d overdue in %d units, %d to be confirmed)\n",
		r.Plans, r.Rows, r.NeedPerson, r.Obligations, r.Overdue, r.UnitsOverdue, r.Unconfirmed)
	if r.NeedPerson > 0 {
		fmt.Fprintf(a.out, "  rows that need a person: %s --status unreadable, ambiguous or awaiting\n", a.hint("tasks list --jurisdiction "+r.Jurisdiction))
	}
	fmt.Fprintf(a.out, "  states: %s\n", counts(r.States))
	fmt.Fprintf(a.out, "  holidays known up to %d\n", r.Calendar.LastPublished)
	if r.Calendar.Warning != "" {
		fmt.Fprintf(a.out, "  CALENDAR: %s; %s\n", r.Calendar.Warning, giveHolidays)
	}
}

// giveHolidays is what to do about a year that is not known.
const giveHolidays = "give the State Council's arrangement in calendar.overrides, or take a newer version of the program"

// words say whether letters leave.
func (s sendingRow) words(zone *time.Location) string {
	out := strings.ToUpper(s.State)
	if s.Why != "" {
		out += ", " + s.Why
	}
	if !s.Until.IsZero() {
		out += " until " + minutes(s.Until, zone)
	}
	return out
}

// letters are the counts by state, those that were never sent apart.
func (r statusRow) letters() string {
	sent := map[string]int{}
	for state, n := range r.Letters {
		if state != string(notice.Recorded) {
			sent[state] = n
		}
	}
	out := counts(sent)
	if n := r.Letters[string(notice.Recorded)]; n > 0 {
		out += fmt.Sprintf("; recorded and never sent: %d", n)
	}
	return out
}

// printSlots prints the last and the next slot of each job, and what is due.
func (r statusRow) printSlots(a *app, zone *time.Location) {
	rows := make([][]string, 0, len(r.Slots))
	for _, s := range r.Slots {
		last, next := "never", "not by the clock"
		if s.Last != nil {
			last = fmt.Sprintf("%s %s%s", s.Last.Date, s.Last.State, s.Last.lateness())
			if s.Last.Reason != "" {
				last += ": " + oneLine(s.Last.Reason)
			}
		}
		if s.Next != nil {
			next = minutes(s.Next.Due, zone)
		}
		rows = append(rows, []string{"  " + s.Job, next, shorten(last)})
	}
	table(a.out, []string{"  job", "next", "last"}, rows)
	for _, g := range r.Due {
		word := "DUE"
		if g.Within {
			word = "late"
		}
		do := a.hints(g.Do)
		if r.Sending.State == sendingArchive {
			do = "after what the archive knows is taken over, see RESTORED above"
		}
		fmt.Fprintf(a.out, "  %s: %s → %s\n", word, g.words(), do)
	}
}

// lateness is how late the slot was begun, where that is worth a word.
func (l lastSlot) lateness() string {
	if late, ok := l.Late(); ok && late >= lateAfter {
		return ", " + run.Length(late.Round(time.Minute)) + " late"
	}
	return ""
}

// shorten keeps a line on the screen.
func shorten(s string) string {
	const most = 90
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// holders says who has which slot, and until when.
func (r statusRow) holders(zone *time.Location) (lines []string) {
	for _, h := range r.Holders {
		lines = append(lines, fmt.Sprintf("running: %s of %s by %s since %s, its lease holds until %s", h.Job, h.Date, h.By,
			minutes(h.Since, zone), h.Until.In(zone).Format("15:04:05")))
	}
	return lines
}

// needText is a need in English.
func needText(n jobs.Need) string {
	words := map[jobs.NeedKind]string{
		jobs.NeedClock: "the date is not believed: nothing is planned or sent", jobs.NeedVersions: "versions differ: nothing is planned",
		jobs.NeedSlots: "slots", jobs.NeedPaused: "paused", jobs.NeedBrake: "brake",
		jobs.NeedUnknown: many(n.N, "letter") + " may have arrived", jobs.NeedFailed: many(n.N, "letter") + " failed of late",
		jobs.NeedRelease: many(n.N, "held letter") + " to release", jobs.NeedAddress: many(n.N, "addressee") + " that mail does not reach",
		jobs.NeedHolidays: "calendar", jobs.NeedArchive: "restored, no letters leave: taking over from the archive was interrupted",
	}[n.What]
	if n.What == jobs.NeedArchive && n.N > 0 {
		return "restored, no letters leave: the archive alone knows " + n.Text
	}
	if n.Text != "" {
		return words + " (" + n.Text + ")"
	}
	return words
}

// minutes is an instant for people.
func minutes(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04") }

// delivery says how the letters are leaving.
func (r statusRow) delivery(zone *time.Location) (lines []string) {
	for _, b := range r.Brakes {
		what := "all letters of account " + b.Account
		if b.Domain != "" {
			what = "letters to " + b.Domain
		}
		lines = append(lines, fmt.Sprintf("BRAKE on %s until %s, let go by itself: %s", what, b.Until.In(zone).Format("2006-01-02 15:04:05"), b.Reason))
	}
	if w := r.OldestWaiting; w != nil {
		line := fmt.Sprintf("oldest waiting letter: %s %s %s %s", w.ID, w.Date, w.Unit, w.State)
		if !w.NextTry.IsZero() {
			line += " until " + minutes(w.NextTry, zone)
		}
		lines = append(lines, line)
	}
	if r.InHand.Letters > 0 {
		lines = append(lines, fmt.Sprintf("in workers' hands: %d, the first claim holds until %s", r.InHand.Letters, r.InHand.Until.In(zone).Format("2006-01-02 15:04:05")))
	}
	return lines
}

// waiting says which letters wait for a person or a window, and what to type.
func (r statusRow) waiting(zone *time.Location) (lines []string) {
	shown := 0
	for _, g := range r.Held {
		shown += g.Letters
		if g.Until.IsZero() {
			lines = append(lines, fmt.Sprintf("held for a person: %d, the first %s: %s", g.Letters, g.First, g.Reason))
			if g.Do != "" {
				lines = append(lines, "  "+g.Do)
			}
			continue
		}
		lines = append(lines, fmt.Sprintf("held until %s: %d: %s", minutes(g.Until, zone), g.Letters, g.Reason))
	}
	if all := r.Letters[string(notice.Held)]; all > shown {
		lines = append(lines, fmt.Sprintf("and %d more held: duban outbox list --jurisdiction %s --state held", all-shown, r.Jurisdiction))
	}
	if n := r.Letters[string(notice.Unknown)]; n > 0 {
		lines = append(lines, fmt.Sprintf("UNKNOWN whether they arrived: %d; ask, then type duban outbox resolve ID --sent|--resend|--served-otherwise --by NAME", n))
		lines = append(lines, linesOf(r.Unknown)...)
	}
	if len(r.FailedLately) > 0 {
		lines = append(lines, fmt.Sprintf("failed in the last %d days; mend the address, or type duban outbox retry ID --by NAME", statusDays))
		lines = append(lines, linesOf(r.FailedLately)...)
	}
	if r.FailedMore {
		lines = append(lines, fmt.Sprintf("  and more: duban outbox list --jurisdiction %s --state failed", r.Jurisdiction))
	}
	return lines
}

func linesOf(letters []troubled) (lines []string) {
	for _, l := range letters {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %s %s %s  %s", l.ID, l.Date, l.Unit, l.Reason), " "))
	}
	return lines
}

// reach says which units cannot be reached.
func (r statusRow) reach(zone *time.Location) (lines []string) {
	if len(r.Addressees) == 0 {
		return nil
	}
	lines = []string{"addressees that mail does not reach; none of this is counted against the unit:"}
	for i, u := range r.Addressees {
		if i == statusUnits {
			lines = append(lines, fmt.Sprintf("  and %d more: duban status --jurisdiction %s --output json", len(r.Addressees)-i, r.Jurisdiction))
			break
		}
		line := fmt.Sprintf("  %s %s, %s", u.Unit, u.Name, u.Role)
		switch u.Trouble {
		case unreachable:
			line += " has no address that mail can go to"
			if u.Address != "" {
				line += " (" + u.Address + ")"
			}
		case refusedHard:
			line += fmt.Sprintf(" %s: refused since %s: %s", u.Address, minutes(u.Since, zone), u.Reply)
		default:
			line += fmt.Sprintf(" %s: put off %d times in a row since %s: %s", u.Address, u.Failures, minutes(u.Since, zone), u.Reply)
		}
		lines = append(lines, line)
		if i+1 == min(len(r.Addressees), statusUnits) || r.Addressees[i+1].Advice != u.Advice {
			lines = append(lines, "    "+u.Advice)
		}
	}
	return lines
}

func counts(m map[string]int) string {
	words := make([]string, 0, len(m))
	for _, k := range sortedKeys(m) {
		words = append(words, fmt.Sprintf("%s %d", k, m[k]))
	}
	return cmp.Or(strings.Join(words, ", "), "none")
}
