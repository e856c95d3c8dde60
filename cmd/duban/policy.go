package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"time"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/personnel"
	"duban/jobs/planner"
	"duban/jobs/policy"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
	"duban/testdata"
)

// policies turns the configuration and the policy files it names into the settings of each jurisdiction. They depend on
// nothing else, and are made once.
type policies struct {
	cfg config.Config
	// bundled, where set, returns the policy of a jurisdiction whose configuration names none: the demo brings its own.
	bundled func(code string) (config.File, bool)

	mu   sync.Mutex
	made map[string]planner.Settings
}

// settings returns the jurisdiction's policy.
func (p *policies) settings(code string) (planner.Settings, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if set, ok := p.made[code]; ok {
		return set, nil
	}
	set, err := p.make(code)
	if err == nil {
		if p.made == nil {
			p.made = map[string]planner.Settings{}
		}
		p.made[code] = set
	}
	return set, err
}

func (p *policies) make(code string) (planner.Settings, error) {
	c := p.cfg.Jurisdiction(code)
	cal, err := p.calendar(code)
	if err != nil {
		return planner.Settings{}, err
	}
	pol, err := p.policy(code)
	if err != nil {
		return planner.Settings{}, err
	}
	set := pol.Apply(planner.Settings{
		Calendar: cal, Terms: task.Terms{AcceptAfter: c.AcceptAfterWorkdays},
		ReportDay: c.ReportDay, Roll: planner.Roll(c.Roll), LiveFrom: c.LiveFrom,
		Issuer: notice.Issuer{
			Name: c.Letter.Issuer, Word: c.Letter.ReminderWord, Contact: c.Letter.ContactName,
			Phone: c.Letter.ContactPhone, Email: c.Letter.ContactEmail, Address: c.Letter.ContactAddress,
		},
		UrgingWord: c.Letter.UrgingWord,
		Confirm:    c.Confirm == "required", WeeklyCap: c.WeeklyCap, Grace: c.CloseGraceWorkdays, Ranking: c.Ranking,
		Bureau:      digestReaders(c.DigestTo),
		NameDomains: c.NameDomains, NamesInFiles: p.cfg.Mail.Transport == "file",
	})
	if to := p.cfg.MailOf(code).RedirectTo; to != "" && !personnel.MayName(set, to) {
		// In a trial run all letters go to one mailbox; where that may not have names, none of them leave.
		set.NameDomains, set.NamesInFiles = nil, false
	}
	hash, err := policyHash(set)
	set.Versions = notice.Versions{Calendar: cal.Hash(), Policy: hash}
	return set, err
}

// policy reads the jurisdiction's policy. The offices it leaves without a name are named where the jurisdiction's name is
// known, by planner.Settings.Office.
func (p *policies) policy(code string) (policy.Policy, error) {
	f, ok := p.cfg.PolicyFile(code)
	if !ok && p.bundled != nil {
		f, ok = p.bundled(code)
	}
	if !ok {
		return policy.Default(""), nil
	}
	pol, err := policy.Parse(f.Data)
	if err != nil {
		return policy.Policy{}, usagef("read policy %s: %w", f.Path, err)
	}
	return pol, nil
}

// bundledPolicy is the policy that stands beside a bundled plan.
func bundledPolicy(code string) (config.File, bool) {
	name := path.Join("plans", code, "policy.yaml")
	data, err := fs.ReadFile(testdata.FS, name)
	return config.File{Path: name, Data: data}, err == nil
}

// bureauRole is the role in which the bureau's own people read.
const bureauRole = "bureau"

// digestReaders are the configured readers of the bureau's digest; none: the bureau's liaison.
func digestReaders(addresses []string) []notice.Recipient {
	var readers []notice.Recipient
	for _, to := range addresses {
		readers = append(readers, notice.Recipient{Role: bureauRole, Email: to})
	}
	return readers
}

// policyHash names what letters are decided by, besides the calendar.
func policyHash(set planner.Settings) (string, error) {
	return hashOf(struct {
		Now       planner.Policy
		Later     []planner.Policy
		Terms     task.Terms
		ReportDay int
		Roll      planner.Roll
		LiveFrom  civil.Date
		Confirm   bool
		WeeklyCap int
		Grace     int
		Ranking   bool
	}{
		planner.Policy{Ladder: set.Ladder, Rungs: set.Rungs, Rules: set.Rules, Staff: set.Staff}, set.Later,
		set.Terms, set.ReportDay, set.Roll, set.LiveFrom, set.Confirm, set.WeeklyCap, set.Grace, set.Ranking,
	})
}

// calendar is the national one with the configured overrides laid over it.
func (p *policies) calendar(code string) (*workday.Calendar, error) {
	cal := workday.National()
	for _, f := range p.cfg.CalendarFiles(code) {
		o, err := workday.ParseOverride(f.Data)
		if err != nil {
			return nil, usagef("read calendar %s: %w", f.Path, err)
		}
		if cal, err = cal.With(o); err != nil {
			return nil, usagef("read calendar %s: %w", f.Path, err)
		}
	}
	return cal, nil
}

func (p *policies) zone(code string) *time.Location {
	loc, err := time.LoadLocation(p.cfg.Jurisdiction(code).Zone)
	if err != nil { // config.Load has checked it
		return time.FixedZone("UTC+8", 8*3600)
	}
	return loc
}

// hash names the settings that the cached columns depend on: the ladders of every version of the policy, each with the day
// it counts from.
func (p *policies) hash(code string) (string, error) {
	set, err := p.settings(code)
	if err != nil {
		return "", err
	}
	type version struct {
		From   civil.Date
		Ladder ladder.Ladder
	}
	ladders := []version{{0, set.Ladder}}
	for _, v := range set.Later {
		ladders = append(ladders, version{v.From, v.Ladder})
	}
	return hashOf(struct {
		Calendar string
		Ladders  []version
		Terms    task.Terms
	}{set.Calendar.Hash(), ladders, set.Terms})
}

func hashOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("hash settings: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}
