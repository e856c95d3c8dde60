package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"duban/jobs"
)

// screenWidth is the width of the narrowest terminal that is thought of, in columns.
const screenWidth = 80

// printStatusAll prints several jurisdictions on one screen: a line each, one for each of their needs, and at the foot
// what all of them need, once. A command stands whole and is the first to type; the words before it are shortened.
func (a *app) printStatusAll(rows []statusRow) {
	needs := make([][]jobs.Need, len(rows))
	for i, r := range rows {
		needs[i] = joined(r.Needs)
	}
	common := shared(rows, needs)
	commands := false
	for i, r := range rows {
		fmt.Fprintln(a.out, fit(r.line(a.policies.zone(r.Jurisdiction)), screenWidth))
		for _, n := range needs[i] {
			if !slices.Contains(common, forAll(n, r.Jurisdiction)) {
				fmt.Fprintln(a.out, "    "+needLine(n, screenWidth-4))
				commands = true
			}
		}
	}
	for _, n := range common {
		i := slices.IndexFunc(needs[0], func(o jobs.Need) bool { return forAll(o, rows[0].Jurisdiction) == n })
		of := needs[0][i]
		_, of.Do, _ = strings.Cut(n, "\x00")
		fmt.Fprintln(a.out, "all: "+needLine(of, screenWidth-5))
		commands = true
	}
	if own := strings.TrimSpace(a.hint("")); commands && own != "duban" {
		fmt.Fprintf(a.out, "type duban as: %s\n", own)
	}
}

// line is a jurisdiction in a line, the worst first: what the screen has no room for is lost at its end.
func (r statusRow) line(zone *time.Location) string {
	last := "nothing ran yet"
	for _, s := range r.Slots {
		if s.Job == "remind" && s.Last != nil {
			last = fmt.Sprintf("remind %s %s", s.Last.Date, s.Last.State)
		}
	}
	return fmt.Sprintf("%s  %s  %s; %d overdue; letters %s; %s", r.Jurisdiction, fit(r.Name, 14), r.Sending.brief(zone), r.Overdue, r.letters(), last)
}

// brief says in a few words whether letters leave.
func (s sendingRow) brief(zone *time.Location) string {
	out := strings.ToUpper(s.State)
	if !s.Until.IsZero() {
		out += " until " + s.Until.In(zone).Format("01-02 15:04")
	}
	return out
}

// needLine is a need with the first command to type. What has to be done before anything else, and what is read and not
// typed, stands whole.
func needLine(n jobs.Need, columns int) string {
	const least = 30 // columns of words, however long the command is
	words := needText(n)
	do, _, _ := strings.Cut(n.Do, ", then ")
	if n.What == jobs.NeedArchive || !strings.HasPrefix(do, "duban ") {
		return words + ": " + do
	}
	return fit(words, max(least, columns-runewidth.StringWidth(do)-2)) + ": " + do
}

// fit cuts a text to so many columns.
func fit(s string, columns int) string {
	c := runewidth.NewCondition()
	c.EastAsianWidth = false
	return c.Truncate(s, columns, "…")
}

// joined says once what follows on from day to day and is mended by the same command.
func joined(needs []jobs.Need) []jobs.Need {
	var out []jobs.Need
	for _, n := range needs {
		if i := len(out) - 1; i >= 0 && n.What == jobs.NeedSlots && out[i].What == n.What && out[i].Do == n.Do && out[i].State == n.State &&
			out[i].To+1 == n.From && slices.Equal(out[i].Jobs, n.Jobs) {
			b := &out[i]
			b.To, b.N = n.To, b.N+n.N
			b.Text = gap{Jobs: b.Jobs, From: b.From, To: b.To, State: b.State}.words()
			continue
		}
		out = append(out, n)
	}
	return out
}

// forAll is a need as it is said of all jurisdictions, if it is the same for all.
func forAll(n jobs.Need, code string) string {
	return needText(n) + "\x00" + strings.ReplaceAll(n.Do, " --jurisdiction "+code, "")
}

// shared are the needs that every one of several jurisdictions has, in the order of the first.
func shared(rows []statusRow, needs [][]jobs.Need) []string {
	var out []string
	for _, n := range needs[0] {
		key := forAll(n, rows[0].Jurisdiction)
		everywhere := len(rows) > 1
		for i, list := range needs {
			everywhere = everywhere && slices.ContainsFunc(list, func(o jobs.Need) bool { return forAll(o, rows[i].Jurisdiction) == key })
		}
		if everywhere {
			out = append(out, key)
		}
	}
	return out
}
