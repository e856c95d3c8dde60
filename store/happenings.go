package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/task"
)

type silenceRow struct {
	Jurisdiction string     `db:"jurisdiction"`
	Seq          int64      `db:"seq"`
	On           day        `db:"on_date"`
	Until        day        `db:"until_date"`
	Scope        task.Scope `db:"scope"`
	Subject      string     `db:"subject"`
	Who          string     `db:"who"`
	Why          string     `db:"why"`
	Lifts        int64      `db:"lifts"`
}

func (silenceRow) table() string { return "silences" }

func (r silenceRow) noun() task.Silence {
	return task.Silence{Jurisdiction: r.Jurisdiction, Seq: r.Seq, On: civil.Date(r.On), Until: civil.Date(r.Until), Scope: r.Scope,
		Subject: r.Subject, Who: r.Who, Why: r.Why, Lifts: r.Lifts}
}

type occurrenceRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Seq          int64  `db:"seq"`
	On           day    `db:"on_date"`
	Kind         string `db:"kind"`
	Ref          string `db:"ref"`
	Unit         string `db:"unit"`
	Person       string `db:"person"`
	Party        string `db:"party"`
	From         day    `db:"from_date"`
	To           day    `db:"to_date"`
	Due          day    `db:"due"`
	Exempt       string `db:"exempt"`
	Source       string `db:"source"`
	Who          string `db:"who"`
}

func (occurrenceRow) table() string { return "occurrences" }

func occurrenceOf(o task.Occurrence) occurrenceRow {
	return occurrenceRow{
		Jurisdiction: o.Jurisdiction, Seq: o.Seq, On: day(o.On), Kind: o.Kind, Ref: o.Ref, Unit: o.Unit, Person: o.Person, Party: o.Party,
		From: day(o.From), To: day(o.To), Due: day(o.Due), Exempt: o.Exempt, Source: o.Source, Who: o.Who,
	}
}

func (r occurrenceRow) noun() task.Occurrence {
	return task.Occurrence{
		Jurisdiction: r.Jurisdiction, Seq: r.Seq, On: civil.Date(r.On), Kind: r.Kind, Ref: r.Ref, Unit: r.Unit, Person: r.Person, Party: r.Party,
		From: civil.Date(r.From), To: civil.Date(r.To), Due: civil.Date(r.Due), Exempt: r.Exempt, Source: r.Source, Who: r.Who,
	}
}

type trainingRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Seq          int64  `db:"seq"`
	On           day    `db:"on_date"`
	Person       string `db:"person"`
	Ref          string `db:"ref"`
	Hours        int    `db:"hours"`
	Course       string `db:"course"`
	For          string `db:"requirement"`
	Assessed     bool   `db:"assessed"`
	Passed       bool   `db:"passed"`
	Removed      bool   `db:"removed"`
}

func (trainingRow) table() string { return "training" }

func trainingOf(t task.Training) trainingRow {
	return trainingRow{Jurisdiction: t.Jurisdiction, Seq: t.Seq, On: day(t.On), Person: t.Person, Ref: t.Ref, Hours: t.Hours, Course: t.Course,
		For: t.For, Assessed: t.Assessed, Passed: t.Passed, Removed: t.Removed}
}

func (r trainingRow) noun() task.Training {
	return task.Training{Jurisdiction: r.Jurisdiction, Seq: r.Seq, On: civil.Date(r.On), Person: r.Person, Ref: r.Ref, Hours: r.Hours, Course: r.Course,
		For: r.For, Assessed: r.Assessed, Passed: r.Passed, Removed: r.Removed}
}

// The longest reference of an occurrence or a training, the longest subject of a silence, and the longest short word, in
// characters.
const (
	maxReference = 128
	maxSubject   = 360
	maxWord      = 32
)

func (w *writing) addSilences(b task.Batch) error {
	for _, v := range b.Silences {
		err := errors.Join(sameJurisdiction(w.jurisdiction, v.Jurisdiction), checkKey("scope", string(v.Scope), maxWord), checkKey("subject", v.Subject, maxSubject))
		if err != nil {
			return fmt.Errorf("silence: %w", err)
		}
		seq, err := w.number("silence over "+v.Subject, v.On)
		if err != nil {
			return err
		}
		w.silences = append(w.silences, silenceRow{w.jurisdiction, seq, day(v.On), day(v.Until), v.Scope, v.Subject, v.Who, v.Why, v.Lifts})
	}
	return nil
}

func (w *writing) addOccurrences(b task.Batch) error {
	for _, o := range b.Occurrences {
		what := fmt.Sprintf("occurrence %s %s", o.Kind, o.Ref)
		err := errors.Join(sameJurisdiction(w.jurisdiction, o.Jurisdiction), checkKey("kind", o.Kind, maxCode), checkKey("reference", o.Ref, maxReference),
			checkOptional("unit code", o.Unit), checkOptional("person key", o.Person))
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if o.Seq, err = w.number(what, o.On); err != nil {
			return err
		}
		o.Jurisdiction = w.jurisdiction
		w.occurrences = append(w.occurrences, occurrenceOf(o))
	}
	return nil
}

func checkOptional(what, key string) error {
	if key == "" {
		return nil
	}
	return checkKey(what, key, maxCode)
}

func (w *writing) addTrainings(b task.Batch) error {
	for i, v := range b.Trainings {
		what := fmt.Sprintf("training %d of the batch", i+1)
		if checkKey("person key", v.Person, maxCode) != nil || checkKey("reference", v.Ref, maxReference) != nil {
			return fmt.Errorf("%s: its person's key or its reference is empty, untrimmed or longer than %d and %d characters", what, maxCode, maxReference)
		}
		err := sameJurisdiction(w.jurisdiction, v.Jurisdiction)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if v.Seq, err = w.number(what, v.On); err != nil {
			return err
		}
		v.Jurisdiction = w.jurisdiction
		w.trainings = append(w.trainings, trainingOf(v))
	}
	return nil
}

// Silences returns every entry of the jurisdiction, in order of recording: those that lift another one too.
func (s *Store) Silences(ctx context.Context, j string) (out []task.Silence, err error) {
	err = s.read(ctx, "read silences of "+j, func(t *tx) error {
		out, err = remember(ctx, t, j, "silences", func() ([]task.Silence, error) {
			rows, err := query[silenceRow](ctx, t, "WHERE jurisdiction = ? ORDER BY seq", j)
			return nouns(rows), err
		})
		return err
	})
	return out, err
}

// occurrencesWhere finds the entries of these kinds, by an index that has them in order of recording; none: of all.
func occurrencesWhere(j string, kinds []string) (w where) {
	w.and("jurisdiction = ?", j)
	if len(kinds) > 0 {
		w.and("kind IN ("+marks(len(kinds))+")", anys(kinds)...)
	}
	return w
}

// Occurrences returns what happened in the jurisdiction, of these kinds or, where none is named, of all, in order of
// recording. Of entries with the same kind, reference and unit the last one stands for all.
func (s *Store) Occurrences(ctx context.Context, j string, kinds ...string) (out []task.Occurrence, err error) {
	err = s.read(ctx, "read occurrences of "+j, func(t *tx) error {
		w := occurrencesWhere(j, kinds)
		rows, err := query[occurrenceRow](ctx, t, w.String()+" ORDER BY seq", w.args...)
		out = lastEntered(nouns(rows))
		return err
	})
	return out, err
}

// lastEntered leaves out the entries that a later one corrects. They come, and stay, in order of recording.
func lastEntered(all []task.Occurrence) []task.Occurrence {
	type key struct{ kind, ref, unit string }
	last := make(map[key]int64, len(all))
	for _, o := range all {
		last[key{o.Kind, o.Ref, o.Unit}] = o.Seq
	}
	return slices.DeleteFunc(all, func(o task.Occurrence) bool { return last[key{o.Kind, o.Ref, o.Unit}] != o.Seq })
}

// Trainings returns every entry of the jurisdiction, in order of recording.
func (s *Store) Trainings(ctx context.Context, j string) (out []task.Training, err error) {
	err = s.read(ctx, "read training of "+j, func(t *tx) error {
		out, err = remember(ctx, t, j, "training", func() ([]task.Training, error) {
			rows, err := query[trainingRow](ctx, t, "WHERE jurisdiction = ? ORDER BY seq", j)
			return nouns(rows), err
		})
		return err
	})
	return out, err
}
