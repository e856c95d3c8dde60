package jobs

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
)

// ledgerOf reads the fake slots as a ledger.
type ledgerOf struct{ *fakeSlots }

func (l ledgerOf) Runs(_ context.Context, f run.Filter) ([]run.Run, error) {
	var out []run.Run
	for _, r := range l.fakeSlots.runs {
		if r.Jurisdiction == f.Jurisdiction && r.Date >= f.From && r.Date <= f.To {
			out = append(out, r)
		}
	}
	return out, nil
}

// replayed goes through two days of open and remind, of which some slots are in the ledger already, and returns the slots that
// ran.
func replayed(t *testing.T, known map[string]run.Run, change func(*Replay)) (ran string, err error) {
	t.Helper()
	slots := &fakeSlots{runs: map[run.Slot]run.Run{}}
	first := civil.MustParse("2024-09-02")
	for name, r := range known {
		job, date, _ := strings.Cut(name, " ")
		r.Slot = run.Slot{Job: job, Jurisdiction: "a", Date: civil.MustParse(date)}
		slots.runs[r.Slot] = r
	}
	open, remind := &fakeJob{name: "open", every: true, slots: slots}, &fakeJob{name: "remind", slots: slots}
	var order []string
	note := func(s run.Slot) error {
		order = append(order, s.Job+" "+s.Date.String()[8:])
		return nil
	}
	open.run, remind.run = note, note
	r := Replay{
		Runner: Runner{Jobs: []Job{open, remind}, Slots: slots, Lease: time.Minute, By: "test"}, Ledger: ledgerOf{slots},
		Job: AllJobs, From: first, To: first + 1, Mode: run.RecordOnly, Reprocess: run.ReprocessNone,
		Workday: func(string, civil.Date) (bool, error) { return true, nil },
		Before:  func(context.Context, string, civil.Date) error { return nil },
		Done:    func(context.Context, string, civil.Date, []Result) error { return nil },
	}
	if change != nil {
		change(&r)
	}
	err = r.Run(t.Context(), "a")
	return strings.Join(order, ", "), err
}

// TestReplay: which slots of a range are gone through.
func TestReplay(t *testing.T) {
	done, failed := run.Run{State: run.Done}, run.Run{State: run.Failed, Reason: "the disk is full"}
	broken := run.Run{State: run.Failed, Reason: run.Interrupted + "context canceled"}
	for _, c := range []struct {
		name   string
		known  map[string]run.Run
		change func(*Replay)
		want   string
		fails  string
	}{
		{"an empty ledger", nil, nil, "open 02, remind 02, open 03, remind 03", ""},
		{"what is settled stays", map[string]run.Run{"open 2024-09-02": done, "remind 2024-09-02": {State: run.Skipped}}, nil, "open 03, remind 03", ""},
		{"a planned slot runs", map[string]run.Run{"open 2024-09-02": {State: run.Planned}}, nil, "open 02, remind 02, open 03, remind 03", ""},
		{"a failed slot stops the day", map[string]run.Run{"open 2024-09-03": failed}, nil, "open 02, remind 02", "--reprocess failed"},
		{"unless it is asked for", map[string]run.Run{"open 2024-09-03": failed}, func(r *Replay) { r.Reprocess = run.ReprocessFailed },
			"open 02, remind 02, open 03, remind 03", ""},
		{"one that was broken off runs", map[string]run.Run{"open 2024-09-03": broken}, nil, "open 02, remind 02, open 03, remind 03", ""},
		{"all once more", map[string]run.Run{"open 2024-09-02": done, "remind 2024-09-02": done}, func(r *Replay) { r.Reprocess = run.ReprocessAll },
			"open 02, remind 02, open 03, remind 03", ""},
		{"one job once more, the one before it not", map[string]run.Run{"open 2024-09-02": done, "remind 2024-09-02": done},
			func(r *Replay) { r.Reprocess, r.Job = run.ReprocessAll, "remind" }, "remind 02, open 03, remind 03", ""},
		{"one job", nil, func(r *Replay) { r.Job = "open" }, "open 02, open 03", ""},
		{"no such job", nil, func(r *Replay) { r.Job = "nothing" }, "", "nothing"},
		{"one letter", nil, func(r *Replay) { r.Mode = run.OneLetter }, "open 02, open 03, remind 03", ""},
		{"one letter on the last working day", nil, func(r *Replay) {
			r.Mode = run.OneLetter
			r.Workday = func(_ string, d civil.Date) (bool, error) { return d == civil.MustParse("2024-09-02"), nil }
		}, "open 02, remind 02, open 03, remind 03", ""},
		{"days missed before the range", map[string]run.Run{"open 2024-08-31": done, "remind 2024-08-31": done}, nil, "open 01, open 02, remind 02, open 03, remind 03", ""},
		{"stopped before a day", nil, func(r *Replay) {
			r.Before = func(_ context.Context, _ string, d civil.Date) error {
				if d == r.To {
					return errors.New("something moved")
				}
				return nil
			}
		}, "open 02, remind 02", "something moved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ran, err := replayed(t, c.known, c.change)
			if ran != c.want {
				t.Errorf("ran %s, want %s", ran, c.want)
			}
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%v, want %q", err, c.fails)
			}
		})
	}
}

// A run that was broken off says so, and is taken up again.
func TestARunThatIsBrokenOffFailedAtNothing(t *testing.T) {
	slots := &fakeSlots{runs: map[run.Slot]run.Run{}}
	ctx, cancel := context.WithCancel(t.Context())
	open := &fakeJob{name: "open", every: true, slots: slots, run: func(run.Slot) error { cancel(); return ctx.Err() }}
	r := Runner{Jobs: []Job{open}, Slots: slots, Lease: time.Minute, By: "test"}
	d := civil.MustParse("2024-09-02")
	if _, err := r.Run(ctx, "open", "a", d, false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := slots.runs[run.Slot{Job: "open", Jurisdiction: "a", Date: d}]; !got.BrokenOff() {
		t.Errorf("%s: %s", got.State, got.Reason)
	}
	open.run = func(run.Slot) error { return errors.New("the disk is full") }
	if _, err := r.Run(t.Context(), "open", "a", d, false); err == nil {
		t.Error("it failed, and no error came")
	}
	if got := slots.runs[run.Slot{Job: "open", Jurisdiction: "a", Date: d}]; got.BrokenOff() || got.State != run.Failed {
		t.Errorf("%s: %s", got.State, got.Reason)
	}
}
