package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/planner"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
)

// policies turns the configuration into the settings of each jurisdiction. They depend on nothing else, and are made
// once.
type policies struct {
	cfg config.Config

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
	set := planner.Settings{
		Calendar: cal, Ladder: ladder.Default(), Terms: task.Terms{AcceptAfter: c.AcceptAfterWorkdays},
		ReportDay: c.ReportDay, Roll: planner.Roll(c.Roll), LiveFrom: c.LiveFrom,
		Issuer: notice.Issuer{
			Name: c.Letter.Issuer, Word: c.Letter.ReminderWord, Contact: c.Letter.ContactName,
			Phone: c.Letter.ContactPhone, Email: c.Letter.ContactEmail, Address: c.Letter.ContactAddress,
		},
		UrgingWord: c.Letter.UrgingWord,
	}
	policy, err := hashOf(struct {
		Ladder    ladder.Ladder
		Terms     task.Terms
		ReportDay int
		Roll      planner.Roll
		LiveFrom  civil.Date
	}{set.Ladder, set.Terms, set.ReportDay, set.Roll, set.LiveFrom})
	set.Versions = notice.Versions{Calendar: cal.Hash(), Policy: policy}
	return set, err
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

// hash names the settings that the cached columns depend on.
func (p *policies) hash(code string) (string, error) {
	set, err := p.settings(code)
	if err != nil {
		return "", err
	}
	return hashOf(struct {
		Calendar string
		Ladder   ladder.Ladder
		Terms    task.Terms
	}{set.Calendar.Hash(), set.Ladder, set.Terms})
}

func hashOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("hash settings: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}
