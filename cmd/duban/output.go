package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// json writes one object on one line.
func (a *app) json(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// asJSON reports whether output goes to a machine.
func (a *app) asJSON() bool { return a.flags.output == "json" }

// say prints a line for people; it is silent under --quiet and in JSON.
func (a *app) say(format string, args ...any) {
	if !a.flags.quiet && !a.asJSON() {
		fmt.Fprintln(a.out, a.hints(fmt.Sprintf(format, args...)))
	}
}

// many is a number of things that are called by an ordinary word.
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// table prints rows in columns as wide as their widest cell; a Chinese character counts two. The last column is not
// padded.
func table(w io.Writer, head []string, rows [][]string) {
	cond := runewidth.NewCondition()
	cond.EastAsianWidth = false
	widths := make([]int, len(head))
	all := append([][]string{head}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], cond.StringWidth(cell))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-cond.StringWidth(cell)+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// list prints values as JSON lines or as a table.
func list[T any](a *app, values []T, head []string, row func(T) []string) error {
	if a.asJSON() {
		for _, v := range values {
			if err := a.json(v); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, 0, len(values))
	for _, v := range values {
		rows = append(rows, row(v))
	}
	table(a.out, head, rows)
	if len(rows) == 0 {
		a.say("nothing matches")
	}
	return nil
}
