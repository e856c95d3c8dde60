package register

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/task"
)

var (
	// ErrSubject says that there is nothing of that name to be silent about.
	ErrSubject = errors.New("no such subject")
	// ErrPeriod says that a silence ends before it begins, or lasts too long.
	ErrPeriod = errors.New("no period to be silent for")
)

// SilenceStore is what silences need of the database besides the register's own.
type SilenceStore interface {
	Silences(ctx context.Context, jurisdiction string) ([]task.Silence, error)
}

// longestSilence bounds a silence in days: what is to rest for longer is to be waived or extended.
const longestSilence = 366

// Silence begins a silence over a unit, a plan or an obligation that exists, and returns its seq.
func (r Register) Silence(ctx context.Context, code string, s task.Silence) (seq int64, err error) {
	if s.Until < s.On || s.Until-s.On > longestSilence {
		return 0, fmt.Errorf("silence %s %s: %w: from %s to %s; want an end within %d days", s.Scope, s.Subject, ErrPeriod, s.On, s.Until, longestSilence)
	}
	if err := r.isThere(ctx, code, s); err != nil {
		return 0, err
	}
	err = r.change(ctx, code, func(j task.Jurisdiction) (task.Batch, error) {
		s.Jurisdiction, seq = code, j.Seq+1 // as the store will number it
		return task.Batch{Silences: []task.Silence{s}}, nil
	})
	return seq, err
}

// isThere refuses a silence over what does not exist: it would never be missed.
func (r Register) isThere(ctx context.Context, code string, s task.Silence) error {
	switch s.Scope {
	case task.OverUnit:
		dir, err := r.Store.Directory(ctx, code)
		if err != nil {
			return err
		}
		if _, ok := dir.AsOf(s.Until).Unit(s.Subject); !ok {
			return fmt.Errorf("silence unit %q: %w; `duban units list --jurisdiction %s` shows what there is", s.Subject, ErrSubject, code)
		}
	case task.OverPlan:
		plans, err := r.Store.Plans(ctx, code)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(plans, func(p task.Plan) bool { return p.Code == s.Subject }) {
			return fmt.Errorf("silence plan %q: %w; `duban tasks list --jurisdiction %s` shows what there is", s.Subject, ErrSubject, code)
		}
	case task.OverObligation:
		ref, err := task.ParseRef(s.Subject)
		if err != nil {
			return fmt.Errorf("silence obligation: %w", err)
		}
		if _, err := r.Store.Record(ctx, ref); err != nil {
			return fmt.Errorf("silence obligation %s: %w; `duban obligations list` shows what there is", s.Subject, err)
		}
	}
	return nil
}

// Lift ends a silence: day on is the first without it.
func (r Register) Lift(ctx context.Context, code string, seq int64, on civil.Date, who, why string) (task.Silence, error) {
	var entry task.Silence
	store, ok := r.Store.(SilenceStore)
	if !ok {
		return entry, errors.New("lift silence: this register keeps none")
	}
	err := r.change(ctx, code, func(task.Jurisdiction) (task.Batch, error) {
		all, err := store.Silences(ctx, code)
		if err != nil {
			return task.Batch{}, err
		}
		known := task.SilencesAsOf(all, civil.Never)
		i := slices.IndexFunc(known, func(s task.Silence) bool { return s.Seq == seq })
		if i < 0 {
			return task.Batch{}, fmt.Errorf("lift silence %s/%d: %w; `duban silence list` shows what there is", code, seq, task.ErrNotFound)
		}
		if on > known[i].Until {
			return task.Batch{}, fmt.Errorf("lift silence %s/%d: it ended on %s already", code, seq, known[i].Until)
		}
		entry = known[i]
		entry.Seq, entry.Lifts, entry.On, entry.Who, entry.Why = 0, seq, on, who, why
		return task.Batch{Silences: []task.Silence{entry}}, nil
	})
	return entry, err
}
