package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/ladder"
	"duban/jobs/personnel"
	"duban/jobs/planner"
	"duban/jobs/policy"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/notice"
	"duban/store"
	"duban/testdata"
)

// policies turns the configuration and the files it names into the settings of each jurisdiction. They depend on nothing
// else, and are made once.
type policies struct {
	cfg config.Config
	// bundled, where set, returns the policy of a jurisdiction whose configuration names none: the demo brings its own.
	bundled func(code string) (config.File, bool)
	// loaded holds, by jurisdiction, what was loaded into a database and counts instead of the files.
	loaded map[string]loadedRules
	// supposed is laid over all that; nil: nothing is.
	supposed *supposition

	mu   sync.Mutex
	made map[string]planner.Settings
}

// loadedRules are the rules of a jurisdiction as the rows of a database have them; nil where there is no row.
type loadedRules struct {
	policy   *policyRules
	calendar *workday.Calendar
	hashes   notice.Versions // of the rows
}

// supposition is what a jurisdiction would be planned by if a file were in force that is not.
type supposition struct {
	code     string         // empty: every jurisdiction
	policy   *policy.Policy // nil: as it is
	override *workday.Override
	path     string // of the override, for messages
}

func (s *supposition) of(code string) bool { return s != nil && (s.code == "" || s.code == code) }

// policyRules are the settings of a jurisdiction that its steps and letters are decided by, besides the calendar: what the
// hash of a policy covers. Its JSON is kept with the letters it decided, and is read again.
type policyRules struct {
	AcceptAfterWorkdays int        `json:"accept_after_workdays"`
	ReportDay           int        `json:"report_day"`
	Roll                string     `json:"roll"`
	LiveFrom            civil.Date `json:"live_from"`
	Confirm             string     `json:"confirm"`
	WeeklyCap           int        `json:"weekly_cap"`
	CloseGraceWorkdays  int        `json:"close_grace_workdays"`
	Ranking             bool       `json:"ranking"`
	// Versions are those of the policy file, each complete: what the file left to the program's defaults is there too.
	Versions []planner.Policy `json:"versions"`
	// File is the text of the policy file, for people; empty where none is named.
	File string `json:"file"`
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
	r, err := p.rules(code)
	if err != nil {
		return planner.Settings{}, err
	}
	set := policy.Policy{Versions: r.Versions}.Apply(planner.Settings{
		Calendar: cal, Terms: task.Terms{AcceptAfter: r.AcceptAfterWorkdays},
		ReportDay: r.ReportDay, Roll: planner.Roll(r.Roll), LiveFrom: r.LiveFrom,
		Issuer: notice.Issuer{
			Name: c.Letter.Issuer, Word: c.Letter.ReminderWord, Contact: c.Letter.ContactName,
			Phone: c.Letter.ContactPhone, Email: c.Letter.ContactEmail, Address: c.Letter.ContactAddress,
		},
		UrgingWord: c.Letter.UrgingWord,
		Confirm:    r.Confirm == "required", WeeklyCap: r.WeeklyCap, Grace: r.CloseGraceWorkdays, Ranking: r.Ranking,
		Bureau:      digestReaders(c.DigestTo),
		NameDomains: c.NameDomains, NamesInFiles: p.cfg.Mail.Transport == "file",
	})
	if to := p.cfg.MailOf(code).RedirectTo; to != "" && !personnel.MayName(set, to) {
		// In a trial run all letters go to one mailbox; where that may not have names, none of them leave.
		set.NameDomains, set.NamesInFiles = nil, false
	}
	hash, err := policyHash(set)
	set.Versions = notice.Versions{Calendar: cal.Hash(), Policy: hash}
	if in := p.loaded[code].hashes; in.Policy != "" && !p.supposed.of(code) { // as the rows are named, whatever program reads them
		set.Versions.Policy = in.Policy
	}
	return set, err
}

// rules are those loaded or, where none are, those of the configuration and the policy file; a supposed policy replaces
// the file's.
func (p *policies) rules(code string) (policyRules, error) {
	r, err := p.rulesInForce(code)
	if err == nil && p.supposed.of(code) && p.supposed.policy != nil {
		r.Versions = p.supposed.policy.Versions
	}
	return r, err
}

func (p *policies) rulesInForce(code string) (policyRules, error) {
	if in := p.loaded[code].policy; in != nil {
		return *in, nil
	}
	c := p.cfg.Jurisdiction(code)
	pol, text, err := p.policy(code)
	return policyRules{
		AcceptAfterWorkdays: c.AcceptAfterWorkdays, ReportDay: c.ReportDay, Roll: c.Roll, LiveFrom: c.LiveFrom, Confirm: c.Confirm,
		WeeklyCap: c.WeeklyCap, CloseGraceWorkdays: c.CloseGraceWorkdays, Ranking: c.Ranking, Versions: pol.Versions, File: text,
	}, err
}

// policy reads the jurisdiction's policy, and returns the text it is written in. The offices it leaves without a name are
// named where the jurisdiction's name is known, by planner.Settings.Office.
func (p *policies) policy(code string) (policy.Policy, string, error) {
	f, ok := p.cfg.PolicyFile(code)
	if !ok && p.bundled != nil {
		f, ok = p.bundled(code)
	}
	if !ok {
		return policy.Default(""), "", nil
	}
	pol, err := readPolicy(f)
	return pol, string(f.Data), err
}

func readPolicy(f config.File) (policy.Policy, error) {
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

// calendar is the one loaded or, where none is, the national one with the configured overrides laid over it; what is
// supposed comes last.
func (p *policies) calendar(code string) (*workday.Calendar, error) {
	cal, err := p.calendarInForce(code)
	if err != nil || !p.supposed.of(code) || p.supposed.override == nil {
		return cal, err
	}
	if cal, err = cal.With(*p.supposed.override); err != nil {
		return nil, usagef("read calendar %s: %w", p.supposed.path, err)
	}
	return cal, nil
}

func (p *policies) calendarInForce(code string) (*workday.Calendar, error) {
	if in := p.loaded[code].calendar; in != nil {
		return in, nil
	}
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

// policiesOf are the policies made of what was loaded last into the database, which may be a view of it at another time;
// the files of this program are for jurisdictions into which nothing was loaded.
func (a *app) policiesOf(ctx context.Context, view *store.Store) (*policies, error) {
	all, err := view.Jurisdictions(ctx)
	if err != nil {
		return nil, err
	}
	p := &policies{cfg: a.policies.cfg, bundled: a.policies.bundled, supposed: a.policies.supposed, loaded: map[string]loadedRules{}}
	for _, j := range all {
		versions, err := view.Versions(ctx, j.Code, "")
		if err != nil {
			return nil, err
		}
		in, err := readVersions(versions)
		if err != nil {
			return nil, fmt.Errorf("read what is loaded for %s: %w", j.Code, err)
		}
		p.loaded[j.Code] = in
	}
	return p, nil
}

// adopt takes the rules that are loaded for those jurisdictions of which the configuration says nothing: a database is gone on
// with under the rules it was made under, wherever it is opened, and a worker that was given none is given no others.
func (a *app) adopt(ctx context.Context, s *store.Store) error {
	all, err := s.Jurisdictions(ctx)
	if err != nil {
		return err
	}
	for _, j := range all {
		if a.cfg.Rules(j.Code) || a.policies.bundled != nil {
			continue
		}
		versions, err := s.Versions(ctx, j.Code, run.PolicyVersion)
		if err != nil {
			return err
		}
		in, err := readVersions(versions)
		if err != nil {
			return fmt.Errorf("read what is loaded for %s: %w", j.Code, err)
		}
		if in.policy != nil {
			if a.policies.loaded == nil {
				a.policies.loaded = map[string]loadedRules{}
			}
			a.policies.loaded[j.Code] = in
		}
	}
	return nil
}

// readVersions makes rules of the newest version of each kind.
func readVersions(versions []run.Version) (in loadedRules, err error) {
	if v, ok := newest(versions, run.PolicyVersion); ok {
		in.policy, in.hashes.Policy = &policyRules{}, v.Hash
		if err := json.Unmarshal(v.Body, in.policy); err != nil {
			return in, fmt.Errorf("policy %s of seq %d: %w", v.Hash, v.Seq, err)
		}
		if len(in.policy.Versions) == 0 {
			return in, fmt.Errorf("policy %s of seq %d: it holds no version", v.Hash, v.Seq)
		}
	}
	if v, ok := newest(versions, run.CalendarVersion); ok {
		in.hashes.Calendar = v.Hash
		if in.calendar, err = workday.Parse(v.Body); err != nil {
			return in, fmt.Errorf("calendar %s of seq %d: %w", v.Hash, v.Seq, err)
		}
	}
	return in, nil
}

// newest returns the version of the kind that was loaded last.
func newest(versions []run.Version, kind string) (last run.Version, ok bool) {
	for _, v := range versions {
		if v.Kind == kind && (!ok || v.Seq > last.Seq) {
			last, ok = v, true
		}
	}
	return last, ok
}

// policiesWith are the present policies with a policy file in the place of theirs and a calendar override laid over theirs,
// for one jurisdiction or, with an empty code, for all. An empty path supposes nothing. They are for questions, and are
// never compared with what is loaded.
func (a *app) policiesWith(policyFile, calendarFile, code string) (*policies, error) {
	what := &supposition{code: code, path: calendarFile}
	if policyFile != "" {
		data, err := os.ReadFile(policyFile)
		if err != nil {
			return nil, usagef("read policy: %w", err)
		}
		pol, err := readPolicy(config.File{Path: policyFile, Data: data})
		if err != nil {
			return nil, err
		}
		what.policy = &pol
	}
	if calendarFile != "" {
		data, err := os.ReadFile(calendarFile)
		if err != nil {
			return nil, usagef("read calendar: %w", err)
		}
		o, err := workday.ParseOverride(data)
		if err != nil {
			return nil, usagef("read calendar %s: %w", calendarFile, err)
		}
		what.override = &o
	}
	return &policies{cfg: a.policies.cfg, bundled: a.policies.bundled, loaded: a.policies.loaded, supposed: what}, nil
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
