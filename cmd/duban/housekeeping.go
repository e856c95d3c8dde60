package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"duban/config"
	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/archive"
	"duban/notify/notice"
	"duban/store"
)

func (a *app) housekeepingCmd() *cobra.Command {
	var code string
	var look bool
	c := &cobra.Command{
		Use: "housekeeping", Short: "Remove what is older than the configured retention and nothing needs any more",
		Long: `Remove what is older than ` + "`retention`" + ` in the configuration says: settled runs, attempts at settled letters, finished
backfills and, where that is configured, what settled letters said and the archive's files. What an open item, a formal
letter or a period's closing rests on stays, however old, and so does all of the last 400 days: the letters of days to
come are the same as without it. Where no archive is kept it says so before it removes what letters said. It works in
small pieces; one that was interrupted goes on with the next. cron may call it, once a week say.`,
		Example: "  duban housekeeping --dry-run\n  30 3 * * 0  duban --config /etc/duban.yaml --quiet housekeeping",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.open(c.Context())
			if err != nil {
				return err
			}
			return a.housekeeping(c.Context(), s, code, look)
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	c.Flags().BoolVar(&look, "dry-run", false, "say what would be removed, and remove nothing")
	return c
}

// tidied is one line of what the housekeeping removed.
type tidied struct {
	Jurisdiction string     `json:"jurisdiction,omitempty"` // none: of the whole installation
	Kind         string     `json:"kind"`                   // runs, attempts, moves, facts, backfills or archive
	Before       civil.Date `json:"before"`                 // what is dated from this day on stays
	Removed      int        `json:"removed"`
	Bytes        int64      `json:"bytes,omitempty"`  // of the archive's files
	Unkept       string     `json:"unkept,omitempty"` // of facts: why nothing else keeps what the letters said
	DryRun       bool       `json:"dry_run,omitempty"`
}

// housekeeping removes what the policy allows. A machine whose date is not to be believed removes nothing.
func (a *app) housekeeping(ctx context.Context, s *store.Store, code string, look bool) error {
	all, err := jurisdictions(ctx, s, code)
	if err != nil {
		return err
	}
	if err := a.trust(ctx, s); err != nil {
		return usagef("nothing was removed: %w", err)
	}
	h := housekeeper{app: a, s: s, look: look}
	h.warn(all)
	for _, j := range all {
		if err := h.jurisdiction(ctx, j.Code); err != nil {
			return fmt.Errorf("housekeeping of %s: %w", j.Code, err)
		}
	}
	if code == "" {
		if err := h.installation(ctx); err != nil {
			return fmt.Errorf("housekeeping: %w", err)
		}
	}
	if err := h.print(); err != nil {
		return err
	}
	if look {
		line, err := a.housekeepingLine(ctx, s)
		a.say("nothing was removed; without --dry-run it is; %s", line)
		return err
	}
	return saveHousekeeping(ctx, s, housekeepingRun{At: a.machineNow().UTC(), By: a.worker(), Removed: h.removed()})
}

// housekeeper goes through what is old.
type housekeeper struct {
	*app
	s    *store.Store
	look bool
	done []tidied
}

// warn says, before anything is removed, for which jurisdictions nothing else keeps what is.
func (h *housekeeper) warn(all []task.Jurisdiction) {
	if h.cfg.Retention.Facts <= 0 {
		return
	}
	for _, j := range all {
		if why := h.unkept(j.Code); why != "" {
			h.say("%s: nothing else keeps what letters said that retention.facts removes: %s", j.Code, why)
		}
	}
}

// before is the first day that stays, where things are kept for so many days; zero: all stay.
func before(today civil.Date, days int) civil.Date {
	if days <= 0 {
		return 0
	}
	return today - civil.Date(days)
}

func (h *housekeeper) add(code, kind string, before civil.Date, n int) {
	if !before.IsZero() {
		h.done = append(h.done, tidied{Jurisdiction: code, Kind: kind, Before: before, Removed: n, DryRun: h.look})
	}
}

func (h *housekeeper) jurisdiction(ctx context.Context, code string) error {
	today, keep := h.today(code), h.cfg.Retention
	if err := h.runs(ctx, code, before(today, keep.Runs)); err != nil {
		return err
	}
	attempts, facts := before(today, keep.Attempts), before(today, keep.Facts)
	p, err := h.letters(ctx, code, today, attempts, facts)
	if err != nil {
		return err
	}
	h.add(code, "attempts", attempts, p.Attempts)
	h.add(code, "moves", attempts, p.Moves)
	h.add(code, "facts", facts, p.Facts)
	if p.Facts > 0 {
		h.done[len(h.done)-1].Unkept = h.unkept(code)
	}
	return h.archive(ctx, code, today, before(today, keep.Archive))
}

// installation removes what belongs to no jurisdiction.
func (h *housekeeper) installation(ctx context.Context) error {
	today, keep := h.today(""), h.cfg.Retention
	if err := h.runs(ctx, "", before(today, keep.Runs)); err != nil {
		return err
	}
	cut := before(today, keep.Backfills)
	n, err := h.s.PruneBackfills(ctx, cut, h.look)
	h.add("", "backfills", cut, n)
	return err
}

func (h *housekeeper) runs(ctx context.Context, code string, cut civil.Date) error {
	sum := 0
	for {
		n, err := h.s.PruneRuns(ctx, code, cut, h.look)
		if err != nil {
			return err
		}
		if sum += n; n == 0 || h.look {
			break
		}
	}
	h.add(code, "runs", cut, sum)
	return nil
}

// needed asks what stays, whatever its age.
func (h *housekeeper) needed(ctx context.Context, code string, today civil.Date) (store.Needed, error) {
	return h.s.Needed(ctx, code, today-config.LeastRetention)
}

// letters goes through the settled letters. Where something was entered meanwhile, what is needed is asked again.
func (h *housekeeper) letters(ctx context.Context, code string, today, attempts, facts civil.Date) (sum store.Pruned, err error) {
	if attempts.IsZero() && facts.IsZero() {
		return sum, nil
	}
	need, err := h.needed(ctx, code, today)
	if err != nil {
		return sum, err
	}
	for cursor := (store.LetterCursor{}); ; {
		p, next, err := h.s.PruneLetters(ctx, code, need, store.Retention{On: today, Attempts: attempts, Facts: facts}, cursor, h.look)
		if errors.Is(err, task.ErrMoved) {
			if need, err = h.needed(ctx, code, today); err != nil {
				return sum, err
			}
			continue
		}
		if err != nil {
			return sum, err
		}
		sum = sum.Add(p)
		if cursor = next; next == (store.LetterCursor{}) {
			return sum, nil
		}
	}
}

// archive removes old files of letters that are settled here and not needed. What the archive has of others stays, and so do
// the journals: they say of each letter when it was accepted, by whom, and its SHA-256.
func (h *housekeeper) archive(ctx context.Context, code string, today, cut civil.Date) error {
	dir := h.cfg.MailOf(code).ArchiveDir
	if cut.IsZero() || dir == "" {
		return nil
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	arch, err := archive.Open(dir)
	if err != nil {
		return err
	}
	need, err := h.needed(ctx, code, today)
	if err != nil {
		return err
	}
	days, err := arch.Days(code)
	if err != nil {
		return err
	}
	line := tidied{Jurisdiction: code, Kind: "archive", Before: cut, DryRun: h.look}
	for _, d := range days {
		if d.Date >= cut {
			break
		}
		if err := h.archived(ctx, arch, code, d.Date, need, &line); err != nil {
			return err
		}
	}
	h.done = append(h.done, line)
	return nil
}

// noticeOf is the ID of the letter that a file of the archive is of: a copy of a trial run has more behind it.
func noticeOf(f archive.File) string {
	const digits = 32
	return f.ID[:min(len(f.ID), digits)]
}

func (h *housekeeper) archived(ctx context.Context, arch *archive.Archive, code string, d civil.Date, need store.Needed, line *tidied) error {
	files, err := arch.Files(code, d)
	if err != nil || len(files) == 0 {
		return err
	}
	var ids []string
	for _, f := range files {
		ids = append(ids, noticeOf(f))
	}
	known, err := h.s.Outcomes(ctx, ids)
	if err != nil {
		return err
	}
	for _, f := range files {
		id := noticeOf(f)
		l, here := known[id]
		settled := l.State == notice.Sent || l.State == notice.Recorded || l.State == notice.Superseded || l.State == notice.Cancelled
		if !here || !settled || l.Key.Formal() || need.Letter(id) {
			continue
		}
		if !h.look {
			if err := arch.Remove(code, d, f); err != nil {
				return err
			}
		}
		line.Removed++
		line.Bytes += f.Size
	}
	return nil
}

func (h *housekeeper) removed() (n int) {
	for _, t := range h.done {
		n += t.Removed
	}
	return n
}

func (h *housekeeper) print() error {
	return list(h.app, h.done, []string{"jurisdiction", "kind", "before", "removed"}, func(t tidied) []string {
		n := fmt.Sprint(t.Removed)
		if t.Bytes > 0 {
			n += fmt.Sprintf(" (%d bytes)", t.Bytes)
		}
		if t.Unkept != "" {
			n += " (kept nowhere else)"
		}
		return []string{t.Jurisdiction, t.Kind, t.Before.String(), n}
	})
}

// housekeepingRun is what the database keeps of the last housekeeping.
type housekeepingRun struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Removed int       `json:"removed"`
}

// housekeepingName is under which name the database keeps it.
const housekeepingName = "housekeeping"

func saveHousekeeping(ctx context.Context, s *store.Store, r housekeepingRun) error {
	text, err := json.Marshal(r)
	if err == nil {
		err = s.SetMeta(ctx, housekeepingName, string(text))
	}
	if err != nil {
		return fmt.Errorf("keep when the housekeeping ran: %w", err)
	}
	return nil
}

// lastHousekeeping returns the last housekeeping; the zero value where there was none.
func lastHousekeeping(ctx context.Context, s *store.Store) (r housekeepingRun, err error) {
	text, err := s.Meta(ctx, housekeepingName)
	if errors.Is(err, task.ErrNotFound) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &r)
	}
	if err != nil {
		return r, fmt.Errorf("read when the housekeeping ran: %w", err)
	}
	return r, nil
}

// housekeepingLine says in one line when the housekeeping ran last.
func (a *app) housekeepingLine(ctx context.Context, s *store.Store) (string, error) {
	r, err := lastHousekeeping(ctx, s)
	if err != nil || r.At.IsZero() {
		return "housekeeping: never", err
	}
	return fmt.Sprintf("housekeeping: last on %s by %s, %d removed", r.At.In(a.policies.zone("")).Format("2006-01-02 15:04"), r.By, r.Removed), nil
}
