// Package policy reads what a jurisdiction has decided about its ladder: the steps of each kind of duty, who issues what
// on which rung, which occurrences start which clocks, and what is asked of the enforcement staff. A policy is one YAML
// document with versions, each of which counts from a day on and says only what it changes.
package policy

import (
	"maps"
	"slices"
	"strings"

	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
)

// Policy is a jurisdiction's policy in all its versions, each complete, by the day it counts from. The first is the one
// that counts from the beginning; there is always that one.
type Policy struct {
	Versions []planner.Policy
}

// The document words and numbers that a government office's supervision form and bulletin have where nothing else is
// said. The hexagonal brackets, and numbers without leading zeros, are the form of GB/T 9704.
const (
	formWord       = "督办通知单"
	formNumber     = "督办〔{year}〕{n}号"
	bulletinWord   = "通报"
	bulletinNumber = "通报〔{year}〕{n}号"
	reportWord     = "专报"
	reportNumber   = "专报〔{year}〕{n}号"
)

// Default is the policy of a jurisdiction that has decided nothing: the default ladder and staff rules, no event rules,
// supervision forms and bulletins in the name of its government office, reports in the bureau's. With an empty name the offices have none either;
// planner.Settings.Office fills it in where the name is known.
func Default(jurisdiction string) Policy {
	name, short := governmentOffice(jurisdiction)
	return Policy{Versions: []planner.Policy{{
		Ladder: ladder.Default(),
		Rungs: map[ladder.Rung]planner.Office{
			ladder.Form:     {Name: name, Short: short, Word: formWord, Number: formNumber},
			ladder.Bulletin: {Name: name, Short: short, Word: bulletinWord, Number: bulletinNumber},
			ladder.Report:   {Word: reportWord, Number: reportNumber}, // in the bureau's own name
		},
		Staff: task.DefaultStaffRules(),
	}}}
}

// Apply returns the settings with the policy in them: its first version in force, the others to come.
func (p Policy) Apply(set planner.Settings) planner.Settings {
	for i, v := range p.Versions {
		v = clone(v)
		if i > 0 {
			set.Later = append(set.Later, v)
			continue
		}
		set.Ladder, set.Rungs, set.Rules, set.Staff, set.Later = v.Ladder, v.Rungs, v.Rules, v.Staff, nil
		set.Government = v.Rungs[ladder.Bulletin]
	}
	return set
}

// clone copies what a version holds, so that a change to the copy leaves it alone.
func clone(v planner.Policy) planner.Policy {
	v.Ladder, v.Rungs = maps.Clone(v.Ladder), maps.Clone(v.Rungs)
	v.Rules, v.Staff.Warn = slices.Clone(v.Rules), slices.Clone(v.Staff.Warn)
	return v
}

// governmentOffice names the office of a jurisdiction's government, in whose name supervision forms and bulletins go out:
// 青岛市崂山区人民政府办公室, in short 区政府办. Both are empty for an empty name.
func governmentOffice(jurisdiction string) (name, short string) {
	if jurisdiction == "" {
		return "", ""
	}
	short = "政府办"
	for _, level := range []string{"区", "县", "市", "旗", "州", "镇", "乡"} {
		if strings.HasSuffix(jurisdiction, level) {
			short = level + short
			break
		}
	}
	return jurisdiction + "人民政府办公室", short
}
