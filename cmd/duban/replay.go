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
	"time"

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
	// fills says that it is to be filled in. Letters that others planned and that still wait are then left to the days to come
	// where nothing leaves; a preview shows them taken over, as they are when the days are run.
	fills bool
	// applied is the beginning of the hash it is filled in under; empty: nobody has said.
	applied string
	// compared says that what letters say is to be compared with another future, whatever they were decided by.
	compared bool
	// bare says that the letters themselves are not asked for, but what they come to.
	bare bool
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
	fresh   int              // how many of the letters are not there yet
	data    map[string]int64 // the seq of what was entered last, by jurisdiction
	hash    string           // of the span, what it is decided by, and every letter
}

// oracle is the database as the jobs of a replay see it. An ordinary letter that they plan is recorded and counts as served:
// nothing leaves while days are gone through, and what is to leave does so when all of them are.
type oracle struct {
	*store.Store
	reason string // of the letters that are recorded
	// spare are letters that others planned and that still wait: they are left to the days to come, whose letters leave.
	spare map[string]bool
	// late marks letters as 补发 for the range; today does so with those of days before it. nil, 0: none.
	late  *notice.Span
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
		if n.State == notice.Pending && !n.Key.Formal() {
			n.State, n.Reason = notice.Recorded, o.reason
		}
	}
	if err := o.Store.SavePlan(ctx, j, seq, p); err != nil {
		return err
	}
	o.planned(p.Notices)
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
	if b.State == notice.Recorded && b.Served == o.day {
		b.Served = 0
	}
	if b.State == notice.Recorded && b.Key.Date == o.day {
		b.State, b.Reason = notice.Pending, ""
	}
}

// Served implements the jobs' stores.
func (o *oracle) Served(ctx context.Context, ids []string) (map[string]civil.Date, error) {
	served, err := o.Store.Served(ctx, ids)
	if err != nil {
		return nil, err
	}
	var today []string
	for id, on := range served {
		if on == o.day {
			today = append(today, id)
		}
	}
	if len(today) == 0 {
		return served, nil
	}
	slices.Sort(today)
	states, err := o.Store.Outcomes(ctx, today)
	for _, id := range today {
		if s := states[id].State; s == notice.Recorded || s == notice.Superseded {
			delete(served, id)
		}
	}
	return served, err
}

// filledBy stands in the ledger behind the name of who filled a slot in, before the first digits of the plan's hash.
const filledBy = ", backfill "

// digits is how many of a hash name a plan.
const digits = 8

// yearBack is further back than any letter that was refused is still taken over from, in days.
const yearBack = 366

// spared are the letters that still wait when days are filled in afterwards, but for those that the same plan made before it
// was interrupted. A letter that is only recorded must not take over what they have to say.
func spared(ctx context.Context, s *store.Store, sp span, code string) (map[string]bool, error) {
	unsent, err := s.Unsent(ctx, code, "", sp.to+1)
	if err != nil {
		return nil, err
	}
	failed, err := s.FailedSince(ctx, code, "", sp.from-yearBack, sp.to+1)
	if err != nil {
		return nil, err
	}
	own, err := ownSlots(ctx, s, sp, code)
	if err != nil {
		return nil, err
	}
	spare := map[string]bool{}
	for _, n := range slices.Concat(unsent, failed) {
		if n.Key.Date < sp.from || !own[slotOf(n)] {
			spare[n.ID] = true
		}
	}
	return spare, nil
}

// ownSlots are the slots of the range that the plan that is applied has gone through so far.
func ownSlots(ctx context.Context, s *store.Store, sp span, code string) (map[run.Slot]bool, error) {
	runs, err := s.Runs(ctx, run.Filter{Jurisdiction: code, From: sp.from, To: sp.to})
	own := map[run.Slot]bool{}
	for _, r := range runs {
		own[r.Slot] = sp.applied != "" && strings.HasSuffix(r.By, filledBy+sp.applied)
	}
	return own, err
}

// slotOf is the slot that planned a letter.
func slotOf(n notice.Notice) run.Slot {
	return run.Slot{Job: n.Job, Jurisdiction: n.Key.Jurisdiction, Date: n.Key.Date}
}

// scratch copies the database into a folder of its own, which is removed at the end of the call.
func (a *app) scratch(ctx context.Context, s *store.Store, cut store.Cut) (*store.Store, error) {
	sweepCopies(a.machineNow())
	dir, err := os.MkdirTemp("", copies)
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

// copies begins the names of folders that hold a copy of a database.
const copies = "duban-copy-"

// sweepCopies removes copies that a killed process left behind: they hold names, and nobody else would. No command that is
// still at work made one more than a day ago.
func sweepCopies(now time.Time) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), copies+"*"))
	if err != nil {
		return
	}
	for _, dir := range old {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && now.Sub(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(dir) // another user's stays, and is for them to remove
		}
	}
}

// under is the app with other policies: a simulation under them changes nothing of this one.
func (a *app) under(p *policies) *app {
	return &app{
		in: a.in, out: a.out, err: a.err, env: a.env, environ: a.environ, clock: a.clock, machine: a.machine,
		flags: a.flags, cfg: a.cfg, log: a.log, policies: p,
	}
}

// walk is a span being gone through on a database: on a copy to see what comes of it, or on the database itself.
type walk struct {
	*app
	store *store.Store
	span
	by, reason string // what stands in the ledger, and on the letters
	// before, where set, is asked before each day; seen is told what the day came to, and may stop there.
	before  func(ctx context.Context, code string, d civil.Date) error
	seen    func(ctx context.Context, code string, d civil.Date, results []jobs.Result, planned []notice.Notice) error
	planned []notice.Notice // on the day in hand
}

// jurisdiction goes through the days of one jurisdiction.
func (w *walk) jurisdiction(ctx context.Context, code string) (err error) {
	if err := w.freshen(ctx, w.store, code); err != nil {
		return err
	}
	today := w.app.today(code)
	o := &oracle{
		Store: w.store, reason: w.reason, late: w.late(), today: w.leaving(today),
		planned: func(l []notice.Notice) { w.planned = append(w.planned, l...) },
	}
	if w.fills && w.mode == run.RecordOnly {
		if o.spare, err = spared(ctx, w.store, w.span, code); err != nil {
			return err
		}
	}
	replay := jobs.Replay{
		Runner: w.runnerOn(w.store, o, w.by), Ledger: w.store, Job: w.job, From: w.from, To: w.to, Mode: w.mode, Reprocess: w.reprocess,
		Workday: func(code string, d civil.Date) (bool, error) {
			set, err := w.policies.settings(code)
			if err != nil {
				return false, err
			}
			return set.Calendar.Day(d).Workday, nil
		},
		Before: func(ctx context.Context, code string, d civil.Date) error {
			o.day, w.planned = d, nil
			if err := w.serve(ctx, code, d, today); err != nil || w.before == nil {
				return err
			}
			return w.before(ctx, code, d)
		},
		Done: func(ctx context.Context, code string, d civil.Date, results []jobs.Result) error {
			return w.seen(ctx, code, d, results, w.planned)
		},
	}
	return replay.Run(ctx, code)
}

// serve says when the letters of the day before d that are to leave afterwards are served: on the day they leave. It is said when
// the next day is gone through, so that a range that was interrupted within a day goes on as it began.
func (w *walk) serve(ctx context.Context, code string, d, today civil.Date) error {
	if w.mode == run.RecordOnly || d == w.from {
		return nil
	}
	letters, err := w.store.Notices(ctx, notice.Filter{Jurisdiction: code, State: notice.Recorded, From: d - 1, To: d - 1, Bare: true})
	if err != nil {
		return err
	}
	for _, n := range letters {
		if n.Key.Date < today && (n.Reason == w.reason || strings.HasPrefix(n.Reason, toLeave)) {
			if err := w.store.ServedOn(ctx, n.ID, today); err != nil {
				return err
			}
		}
	}
	return nil
}

// dayLetters are all letters dated on the day: those planned now, or where there were others before, as the database has them.
// The operations letter tells of the program and not of the day.
func dayLetters(ctx context.Context, s *store.Store, code string, d civil.Date, planned []notice.Notice) ([]notice.Notice, error) {
	there, err := s.Briefs(ctx, code, d, d)
	if err != nil {
		return nil, err
	}
	letters := slices.DeleteFunc(slices.Clone(planned), func(n notice.Notice) bool { return n.Key.Date != d })
	if len(there) == len(letters) {
		return letters, nil
	}
	all, err := s.Notices(ctx, notice.Filter{Jurisdiction: code, From: d, To: d})
	return slices.DeleteFunc(all, func(n notice.Notice) bool { return n.Key.Kind == notice.Operations }), err
}

// hashDay names the letters of a day, with what they say; the hash of each letter's facts comes by its ID.
func hashDay(code string, d civil.Date, letters []notice.Notice) (run.DayHash, map[string]string, error) {
	sums, lines := make(map[string]string, len(letters)), make([]string, 0, len(letters))
	for _, n := range letters {
		sum, err := factsHash(n.Facts)
		if err != nil {
			return run.DayHash{}, nil, err
		}
		sums[n.ID] = sum
		lines = append(lines, n.ID+" "+sum)
	}
	slices.Sort(lines)
	return run.DayHash{Jurisdiction: code, Date: d, Letters: len(lines), Hash: hashLines(lines)}, sums, nil
}

// rehearse goes through the span on a copy of the database, as the worker or a backfill would, and returns what comes of it.
// Nothing is written but to the copy. tick, where set, is called after each day of a jurisdiction.
func (a *app) rehearse(ctx context.Context, copied *store.Store, sp span, tick func()) (foresight, error) {
	r := rehearsal{app: a, store: copied, tick: tick, saw: foresight{span: sp, data: map[string]int64{}}}
	for _, code := range sp.codes {
		if err := r.jurisdiction(ctx, code); err != nil {
			return r.saw, err
		}
		var err error
		if r.saw.data[code], err = copied.DataSeq(ctx, code); err != nil {
			return r.saw, err
		}
	}
	if sp.mode == run.SendAll {
		over := overtake(r.saw.letters, a.today)
		for i, l := range r.saw.letters {
			if _, ok := over[l.ID]; ok {
				r.saw.letters[i].State = string(notice.Superseded)
			}
		}
	}
	var err error
	r.saw.hash, err = a.planHash(r.saw)
	return r.saw, err
}

// rehearsal is a span being gone through on a copy.
type rehearsal struct {
	*app
	store *store.Store
	tick  func()
	saw   foresight
	names map[string]string
	kept  map[string]sentBytes // by jurisdiction, where it was asked for
}

// gone says of a letter whose facts were removed that they were, and where the archive has it.
func (r *rehearsal) gone(n notice.Notice) (string, error) {
	kept, asked := r.kept[n.Key.Jurisdiction]
	if !asked {
		var err error
		if kept, err = r.sentBytes(n.Key.Jurisdiction, ""); err != nil {
			return "", err
		}
		if r.kept == nil {
			r.kept = map[string]sentBytes{}
		}
		r.kept[n.Key.Jurisdiction] = kept
	}
	w, err := shown{Notice: n, attempts: n.Receipts}.gone(kept)
	return w.Note, err
}

// foreseenBy stands in the copy's letters; nobody but the rehearsal sees it.
const foreseenBy = "foreseen"

func (r *rehearsal) jurisdiction(ctx context.Context, code string) error {
	dir, err := r.store.Directory(ctx, code)
	if err != nil {
		return err
	}
	r.names = map[string]string{}
	for _, u := range dir.AsOf(r.saw.to).Units {
		r.names[u.Code] = u.Name
	}
	by := "preview"
	if r.saw.fills {
		by += filledBy + r.saw.applied
	}
	if today := r.app.today(code); r.saw.from > today { // what the worker will have done by then
		until := span{job: jobs.AllJobs, from: today, to: r.saw.from - 1, mode: run.RecordOnly, reprocess: run.ReprocessFailed, released: r.saw.released}
		hidden := walk{
			app: r.app, store: r.store, span: until, by: by, reason: foreseenBy,
			seen: func(ctx context.Context, code string, d civil.Date, _ []jobs.Result, _ []notice.Notice) error {
				_, err := r.assume(ctx, code, d)
				return err
			},
		}
		if err := hidden.jurisdiction(ctx, code); err != nil {
			return err
		}
	}
	w := walk{app: r.app, store: r.store, span: r.saw.span, by: by, reason: foreseenBy, seen: r.look}
	return w.jurisdiction(ctx, code)
}

// look keeps what the day came to. Letters of days that were made up before it are shown with it.
func (r *rehearsal) look(ctx context.Context, code string, d civil.Date, results []jobs.Result, planned []notice.Notice) error {
	released, err := r.assume(ctx, code, d)
	if err != nil {
		return err
	}
	reasons := map[string]string{}
	for _, res := range results {
		if !res.Already {
			r.saw.slots++
		}
		reasons[res.Job] = res.Reason
	}
	letters, err := dayLetters(ctx, r.store, code, d, planned)
	if err != nil {
		return err
	}
	day, sums, err := hashDay(code, d, letters)
	if err != nil {
		return err
	}
	r.saw.days = append(r.saw.days, day)
	fresh := make(map[string]bool, len(planned))
	for _, n := range planned {
		if fresh[n.ID] = true; n.Key.Date != d {
			letters = append(letters, n)
		}
	}
	r.saw.fresh += len(fresh)
	if r.saw.bare {
		letters = nil
	}
	for _, n := range letters {
		if r.saw.job != jobs.AllJobs && n.Job != r.saw.job && !fresh[n.ID] {
			continue
		}
		line := foresee(n, r.names[n.Key.Unit], fresh[n.ID], reasons[n.Job], sums[n.ID])
		if n.Gone() {
			if line.Reason, err = r.gone(n); err != nil {
				return err
			}
		}
		if released[n.ID] {
			line.State, line.Reason = isNew, "supposed to be released on the day it is drafted"
		}
		if r.saw.compared {
			bare := n.Facts
			bare.Versions = notice.Versions{}
			if line.told, err = factsHash(bare); err != nil {
				return err
			}
		}
		r.saw.letters = append(r.saw.letters, line)
	}
	if r.tick != nil {
		r.tick()
	}
	return nil
}

// assume lets every form that was drafted on the day leave on it, where that is supposed: it is handed over on paper. One that
// cannot be issued stays a draft. It returns the letters that are released.
func (r *rehearsal) assume(ctx context.Context, code string, d civil.Date) (map[string]bool, error) {
	if !r.saw.released {
		return nil, nil
	}
	drafts, err := r.store.Documents(ctx, notice.DocumentFilter{Jurisdiction: code, State: notice.Drafted, From: d, To: d})
	if err != nil {
		return nil, err
	}
	desk := formal.Desk{Store: assumed{r.store}, Settings: r.policies.settings}
	released := map[string]bool{}
	for _, doc := range drafts {
		_, err := desk.Release(ctx, formal.Release{ID: doc.ID, By: foreseenBy, Via: notice.ByPaper, On: d, Today: d})
		var refused formal.RefusedError
		switch {
		case err == nil:
			released[doc.ID] = true
		case !errors.As(err, &refused):
			return nil, err
		}
	}
	return released, nil
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
