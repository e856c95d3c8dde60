package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"duban/jobs"
	"duban/jobs/civil"
	"duban/jobs/formal"
	"duban/jobs/run"
	"duban/notify/compose"
	"duban/notify/notice"
	"duban/store"
)

// span is a range of slots that somebody wants to look at or to fill in.
type span struct {
	job       string // or jobs.AllJobs
	codes     []string
	from, to  civil.Date
	mode      run.Mode
	reprocess run.Reprocess
	// spares leaves letters of others that still wait out of what is planned: a backfill must, a preview shows them taken over.
	spares bool
	// released supposes that every form that is drafted leaves on its day.
	released bool
}

// late is the range that the one letter of a unit makes up for; nil where each day has letters of its own.
func (sp span) late() *notice.Span {
	if sp.mode != run.OneLetter {
		return nil
	}
	return &notice.Span{From: sp.from, To: sp.to}
}

// leaving is the day that letters of earlier days leave on, where every day's letters are sent; else 0.
func (sp span) leaving(today civil.Date) civil.Date {
	if sp.mode != run.SendAll {
		return 0
	}
	return today
}

// foresight is what going through a span comes to.
type foresight struct {
	span
	letters []foreseen
	days    []run.DayHash
	slots   int              // that were gone through
	data    map[string]int64 // the seq of what was entered last, by jurisdiction
	// overtaken and passedBy are the letters whose moment has passed, where they would be sent now: those that a later letter
	// takes over, and those that only reminded of a day that is over.
	overtaken map[string]string
	passedBy  map[string]bool
	hash      string // of the span, what it is decided by, and every letter
}

// oracle is the database as the jobs of a replay see it. It says what becomes of the letters they plan: in a simulation, and
// in a backfill that only records, an ordinary letter is never sent and counts as served on its day.
type oracle struct {
	*store.Store
	// reason stands on the letters that are recorded; empty: letters are to leave.
	reason string
	// spare are letters that others planned and that still wait: they are left to the days to come, whose letters leave.
	spare map[string]bool
	// late marks letters as 补发 for the range.
	late *notice.Span
	// overtaken and passed are letters that are recorded as superseded, by another one or because their moment has passed.
	overtaken map[string]string
	passed    map[string]bool
	// today is the day on which letters of earlier days would leave: they say that they are late. 0: all leave on their day.
	today civil.Date
	// day is the day in hand. Its own letters have not left while it is planned, whatever they are recorded as: the bureau's
	// digest says of them that they leave today.
	day civil.Date
	// planned is told of the letters once they are stored.
	planned func([]notice.Notice)
}

// SavePlan implements the jobs' stores.
func (o *oracle) SavePlan(ctx context.Context, j string, seq int64, p run.DayPlan) error {
	p.Notices = slices.Clone(p.Notices)
	for i := range p.Notices {
		n := &p.Notices[i]
		n.State = cmp.Or(n.State, notice.Pending)
		if n.Key.Kind == notice.UnitLetter && (o.late != nil || n.Key.Date < o.today) {
			n.Facts.LateIssue, n.Facts.LateFor = true, o.late
		}
		if by, ok := o.overtaken[n.ID]; ok && n.State == notice.Pending {
			n.State, n.SupersededBy, n.Reason = notice.Superseded, by, "a later letter of the same backfill says all of it"
		}
		if o.passed[n.ID] && n.State == notice.Pending {
			n.State, n.Reason = notice.Superseded, "its moment had passed when the day was filled in"
		}
		if o.reason != "" && n.State == notice.Pending && !n.Key.Formal() {
			n.State, n.Reason = notice.Recorded, o.reason
		}
	}
	if err := o.Store.SavePlan(ctx, j, seq, p); err != nil {
		return err
	}
	if o.planned != nil {
		o.planned(p.Notices)
	}
	return nil
}

// Unsent implements the jobs' stores.
func (o *oracle) Unsent(ctx context.Context, j, kind string, before civil.Date) ([]notice.Notice, error) {
	all, err := o.Store.Unsent(ctx, j, kind, before)
	return slices.DeleteFunc(all, func(n notice.Notice) bool { return o.spare[n.ID] }), err
}

// FailedSince implements the jobs' stores.
func (o *oracle) FailedSince(ctx context.Context, j, kind string, since, before civil.Date) ([]notice.Notice, error) {
	all, err := o.Store.FailedSince(ctx, j, kind, since, before)
	return slices.DeleteFunc(all, func(n notice.Notice) bool { return o.spare[n.ID] }), err
}

// Briefs implements the jobs' stores.
func (o *oracle) Briefs(ctx context.Context, j string, from, to civil.Date) ([]notice.Brief, error) {
	all, err := o.Store.Briefs(ctx, j, from, to)
	for i := range all {
		o.mask(&all[i])
	}
	return all, err
}

// Outcomes implements the jobs' stores.
func (o *oracle) Outcomes(ctx context.Context, ids []string) (map[string]notice.Brief, error) {
	all, err := o.Store.Outcomes(ctx, ids)
	for id, b := range all {
		o.mask(&b)
		all[id] = b
	}
	return all, err
}

// mask shows a letter of the day in hand as it stands before it leaves.
func (o *oracle) mask(b *notice.Brief) {
	if o.gone(b.ID) && b.State == notice.Superseded { // it was planned, and what followed was planned as if it had left
		b.State = notice.Recorded
	}
	if b.State == notice.Recorded && b.Key.Date == o.day {
		b.State, b.Reason = notice.Pending, ""
	}
}

// gone reports whether the letter is not sent because its moment has passed.
func (o *oracle) gone(id string) bool {
	_, ok := o.overtaken[id]
	return ok || o.passed[id]
}

// Served implements the jobs' stores.
func (o *oracle) Served(ctx context.Context, ids []string) (map[string]civil.Date, error) {
	served, err := o.Store.Served(ctx, ids)
	if err != nil {
		return nil, err
	}
	var look []string
	for _, id := range ids {
		if on, ok := served[id]; ok && on == o.day || o.gone(id) {
			look = append(look, id)
		}
	}
	if len(look) == 0 {
		return served, nil
	}
	slices.Sort(look)
	states, err := o.Store.Outcomes(ctx, look)
	for _, id := range look {
		switch b := states[id]; {
		case o.gone(id) && b.Key.Date < o.day:
			served[id] = o.today
		case b.State == notice.Recorded || b.State == notice.Superseded:
			delete(served, id)
		}
	}
	return served, err
}

// filledBy stands in the ledger behind the name of who filled a slot in.
const filledBy = ", backfill "

// yearBack is further back than any letter that was refused is still taken over from, in days.
const yearBack = 366

// spared are the letters that still wait when days are filled in afterwards: those of earlier days, and those of the range that
// a backfill did not plan. A letter that is only recorded must not take over what they have to say.
func spared(ctx context.Context, s *store.Store, sp span, code string) (map[string]bool, error) {
	unsent, err := s.Unsent(ctx, code, "", sp.to+1)
	if err != nil {
		return nil, err
	}
	failed, err := s.FailedSince(ctx, code, "", sp.from-yearBack, sp.to+1)
	if err != nil {
		return nil, err
	}
	runs, err := s.Runs(ctx, run.Filter{Jurisdiction: code, From: sp.from, To: sp.to})
	if err != nil {
		return nil, err
	}
	own := map[run.Slot]bool{}
	for _, r := range runs {
		own[r.Slot] = strings.Contains(r.By, filledBy)
	}
	spare := map[string]bool{}
	for _, n := range slices.Concat(unsent, failed) {
		if n.Key.Date < sp.from || !own[run.Slot{Job: n.Job, Jurisdiction: code, Date: n.Key.Date}] {
			spare[n.ID] = true
		}
	}
	return spare, nil
}

// scratch copies the database into a folder of its own, which is removed at the end of the call.
func (a *app) scratch(ctx context.Context, s *store.Store, cut store.Cut) (*store.Store, error) {
	dir, err := os.MkdirTemp("", "duban-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for a copy of the database: %w", err)
	}
	a.closeLater("copy of the database", func() error { return os.RemoveAll(dir) })
	c, err := s.Scratch(ctx, filepath.Join(dir, "copy.db"), cut)
	if err != nil {
		return nil, err
	}
	a.closeLater("copy of the database", c.Close)
	return c, nil
}

// under is the app with other policies: a simulation under them changes nothing of this one.
func (a *app) under(p *policies) *app {
	return &app{
		in: a.in, out: a.out, err: a.err, env: a.env, environ: a.environ, clock: a.clock, machine: a.machine,
		flags: a.flags, cfg: a.cfg, log: a.log, policies: p,
	}
}

// rehearse goes through the span on a copy of the database, as the worker or a backfill would, and returns what comes of it.
// Nothing is written but to the copy. tick, where set, is called after each day of a jurisdiction.
func (a *app) rehearse(ctx context.Context, copied *store.Store, sp span, tick func()) (foresight, error) {
	r := rehearsal{app: a, store: copied, tick: tick, saw: foresight{span: sp}}
	for _, code := range sp.codes {
		if err := r.jurisdiction(ctx, code); err != nil {
			return r.saw, err
		}
	}
	if sp.mode == run.SendAll {
		r.saw.overtaken, r.saw.passedBy = overtake(r.saw.letters, a.today)
		for i, l := range r.saw.letters {
			if _, ok := r.saw.overtaken[l.ID]; ok || r.saw.passedBy[l.ID] {
				r.saw.letters[i].State = string(notice.Superseded)
			}
		}
	}
	r.saw.data = map[string]int64{}
	var err error
	for _, code := range sp.codes {
		if r.saw.data[code], err = copied.DataSeq(ctx, code); err != nil {
			return r.saw, err
		}
	}
	r.saw.hash, err = a.planHash(r.saw)
	return r.saw, err
}

// rehearsal is a span being gone through on a copy.
type rehearsal struct {
	*app
	store *store.Store
	tick  func()
	saw   foresight
	today []notice.Notice // planned on the day in hand
	names map[string]string
}

// foreseenBy stands in the copy's letters; nobody but the rehearsal sees it.
const foreseenBy = "foreseen"

func (r *rehearsal) jurisdiction(ctx context.Context, code string) error {
	if err := r.freshen(ctx, r.store, code); err != nil {
		return err
	}
	today := r.app.today(code)
	if err := r.catchUp(ctx, code, today); err != nil {
		return err
	}
	dir, err := r.store.Directory(ctx, code)
	if err != nil {
		return err
	}
	r.names = map[string]string{}
	for _, u := range dir.AsOf(r.saw.to).Units {
		r.names[u.Code] = u.Name
	}
	o := &oracle{Store: r.store, reason: foreseenBy, late: r.saw.late(), today: r.saw.leaving(today), planned: r.note}
	if r.saw.spares {
		if o.spare, err = spared(ctx, r.store, r.saw.span, code); err != nil {
			return err
		}
	}
	replay := r.app.replay(r.store, o, r.saw.span, "preview"+filledBy)
	replay.Settle = func(ctx context.Context, code string, d civil.Date) error { return r.settle(ctx, code, d, today) }
	replay.Done = r.look
	return replay.Run(ctx, []string{code})
}

// replay goes through the span on the database s, where the jobs work on o.
func (a *app) replay(s *store.Store, o *oracle, sp span, by string) jobs.Replay {
	return jobs.Replay{
		Runner: a.runnerOn(s, o, by), Ledger: s, Job: sp.job, From: sp.from, To: sp.to, Mode: sp.mode, Reprocess: sp.reprocess,
		Before: func(_ context.Context, _ string, d civil.Date) error { o.day = d; return nil },
		Workday: func(code string, d civil.Date) (bool, error) {
			set, err := a.policies.settings(code)
			if err != nil {
				return false, err
			}
			return set.Calendar.Day(d).Workday, nil
		},
	}
}

// catchUp does on the copy what the worker will have done by the first day of a span that has not begun: what was missed up
// to today, and the days from then on.
func (r *rehearsal) catchUp(ctx context.Context, code string, today civil.Date) error {
	if r.saw.from < today {
		return nil
	}
	before := &oracle{Store: r.store, reason: foreseenBy}
	runner := r.runnerOn(r.store, before, "preview")
	var names []string
	for _, j := range runner.Jobs {
		names = append(names, j.Name())
	}
	o := *before
	o.day = today
	o.planned = r.note // of today's letters
	runner = r.runnerOn(r.store, &o, "preview")
	results, err := runSlots(ctx, runner, names, code, today, false)
	for _, res := range results {
		if !res.Already && res.Date == today {
			r.saw.slots++
		}
	}
	if err != nil || r.saw.from == today {
		return err
	}
	r.today = nil
	replay := r.app.replay(r.store, before, span{job: jobs.AllJobs, from: today + 1, to: r.saw.from - 1, mode: run.RecordOnly}, "preview")
	replay.Settle = func(context.Context, string, civil.Date) error { return nil }
	replay.Done = func(context.Context, string, civil.Date, []jobs.Result) error { return nil }
	return replay.Run(ctx, []string{code})
}

func (r *rehearsal) note(letters []notice.Notice) { r.today = append(r.today, letters...) }

// settle says when the day's letters are served: on their day where they are recorded only, on the day they leave where they
// are to be sent afterwards.
func (r *rehearsal) settle(ctx context.Context, code string, d, today civil.Date) error {
	if r.saw.mode == run.RecordOnly || d >= today {
		return r.assume(ctx, code, d)
	}
	for _, n := range r.today {
		if n.State != notice.Recorded {
			continue
		}
		if err := r.store.ServedOn(ctx, n.ID, today); err != nil {
			return err
		}
	}
	return r.assume(ctx, code, d)
}

// look keeps what the day came to.
func (r *rehearsal) look(ctx context.Context, code string, d civil.Date, results []jobs.Result) error {
	reasons := map[string]string{}
	for _, res := range results {
		if !res.Already {
			r.saw.slots++
		}
		reasons[res.Job] = res.Reason
	}
	ids, err := r.store.NoticeIDs(ctx, code, d)
	if err != nil {
		return err
	}
	letters, fresh := r.today, make(map[string]bool, len(r.today))
	for _, n := range r.today {
		fresh[n.ID] = true
	}
	r.today = nil
	if len(ids) != len(letters) { // some were there before
		if letters, err = r.store.Notices(ctx, notice.Filter{Jurisdiction: code, From: d, To: d}); err != nil {
			return err
		}
	}
	day := run.DayHash{Jurisdiction: code, Date: d}
	sums := make([]string, 0, len(letters))
	for _, n := range letters {
		sum, err := factsHash(n.Facts)
		if err != nil {
			return err
		}
		sums = append(sums, n.ID+" "+sum)
		if r.saw.job != jobs.AllJobs && n.Job != r.saw.job && !fresh[n.ID] {
			continue
		}
		line, err := foresee(n, r.names[n.Key.Unit], fresh[n.ID], reasons[n.Job], sum)
		if err != nil {
			return err
		}
		r.saw.letters = append(r.saw.letters, line)
	}
	slices.Sort(sums)
	day.Letters, day.Hash = len(sums), hashLines(sums)
	r.saw.days = append(r.saw.days, day)
	if r.tick != nil {
		r.tick()
	}
	return nil
}

// assume lets every form that was drafted on the day leave on it, where that is supposed: it is handed over on paper. One that
// cannot be issued stays a draft.
func (r *rehearsal) assume(ctx context.Context, code string, d civil.Date) error {
	if !r.saw.released {
		return nil
	}
	drafts, err := r.store.Documents(ctx, notice.DocumentFilter{Jurisdiction: code, State: notice.Drafted, From: d, To: d})
	if err != nil {
		return err
	}
	desk := formal.Desk{Store: assumed{r.store}, Settings: r.policies.settings}
	for _, doc := range drafts {
		_, err := desk.Release(ctx, formal.Release{ID: doc.ID, By: foreseenBy, Via: notice.ByPaper, On: d, Today: d})
		var refused formal.RefusedError
		if err != nil && !errors.As(err, &refused) {
			return err
		}
	}
	return nil
}

// assumed is the copy where everything that is foreseen has come about.
type assumed struct{ *store.Store }

// Outcomes implements formal.Store: what is recorded was sent.
func (s assumed) Outcomes(ctx context.Context, ids []string) (map[string]notice.Brief, error) {
	all, err := s.Store.Outcomes(ctx, ids)
	for id, b := range all {
		if b.State == notice.Recorded {
			b.State = notice.Sent
			all[id] = b
		}
	}
	return all, err
}

// planHash names what a span comes to: its bounds, what was entered by then, what it is decided and written by, and every
// letter of its days. It is the same before the span is gone through, when it was interrupted, and afterwards.
func (a *app) planHash(f foresight) (string, error) {
	lines := []string{
		"duban-plan-1", f.job, f.from.String(), f.to.String(), string(f.mode), string(f.reprocess), compose.Version(),
	}
	for _, code := range f.codes {
		set, err := a.policies.settings(code)
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("%s %d %s %s", code, f.data[code], set.Versions.Calendar, set.Versions.Policy))
	}
	for _, d := range f.days {
		lines = append(lines, fmt.Sprintf("%s %s %d %s", d.Jurisdiction, d.Date, d.Letters, d.Hash))
	}
	return hashLines(lines), nil
}

// hashLines is the first half of the SHA-256 of the lines, in hex.
func hashLines(lines []string) string {
	h := sha256.New()
	for _, l := range lines {
		_, _ = io.WriteString(h, l+"\n") // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// factsHash names what a letter says.
func factsHash(f notice.Facts) (string, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("hash a letter's facts: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}
