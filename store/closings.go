package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"duban/jobs/civil"
	"duban/jobs/task"
)

type closingRow struct {
	Jurisdiction string           `db:"jurisdiction"`
	Kind         task.ClosingKind `db:"kind"`
	Plan         string           `db:"plan"`
	Row          string           `db:"row_code"`
	Period       string           `db:"period"`
	Version      int              `db:"version"`
	On           day              `db:"on_date"`
	Seq          int64            `db:"seq"`
	Issue        sql.Null[int64]  `db:"issue"`
	IssueYear    sql.Null[int64]  `db:"issue_year"`
	Notice       string           `db:"notice"`
	Frozen       string           `db:"frozen"`
}

func (closingRow) table() string { return "closings" }

func (r closingRow) noun() task.Closing {
	return task.Closing{Jurisdiction: r.Jurisdiction, Kind: r.Kind, Plan: r.Plan, Row: r.Row, Period: r.Period, On: civil.Date(r.On), Seq: r.Seq,
		Issue: int(r.Issue.V), Version: r.Version, Notice: r.Notice, Frozen: r.Frozen}
}

// closingRows checks what a plan closes. Issues are numbered within the year of their periods, in whatever year they are
// closed.
func closingRows(j string, closings []task.Closing) ([]closingRow, error) {
	rows := make([]closingRow, len(closings))
	for i, c := range closings {
		err := errors.Join(sameJurisdiction(j, c.Jurisdiction), checkKey("kind", string(c.Kind), maxWord), checkOptional("plan code", c.Plan),
			checkOptional("row code", c.Row), checkKey("period", c.Period, maxInstance))
		if err == nil && (c.On.IsZero() || c.Issue < 0 || c.Version < 0) {
			err = errors.New("it wants a day, and no negative issue or version")
		}
		if err != nil {
			return nil, fmt.Errorf("closing of %s: %w", c.Period, err)
		}
		rows[i] = closingRow{Jurisdiction: j, Kind: c.Kind, Plan: c.Plan, Row: c.Row, Period: c.Period, Version: c.Version, On: day(c.On), Seq: c.Seq,
			Notice: c.Notice, Frozen: c.Frozen}
		if c.Issue == 0 {
			continue
		}
		year, err := strconv.Atoi(c.Period[:min(4, len(c.Period))])
		if err != nil {
			return nil, fmt.Errorf("closing of %s: issue %d is of no year: the period does not begin with one", c.Period, c.Issue)
		}
		rows[i].Issue, rows[i].IssueYear = sql.Null[int64]{V: int64(c.Issue), Valid: true}, sql.Null[int64]{V: int64(year), Valid: true}
	}
	return rows, nil
}

// Closings returns what the jurisdiction closed, of one kind or, where none is named, of all, by day, plan, row, period and
// version.
func (s *Store) Closings(ctx context.Context, j string, kind task.ClosingKind) (out []task.Closing, err error) {
	err = s.read(ctx, "read closings of "+j, func(t *tx) error {
		var w where
		w.and("jurisdiction = ?", j)
		w.equal("kind", string(kind))
		rows, err := query[closingRow](ctx, t, w.String()+" ORDER BY on_date, plan, row_code, period, version, kind", w.args...)
		out = nouns(rows)
		return err
	})
	return out, err
}

type holdRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Obligation   string `db:"obligation"`
	Seq          int64  `db:"seq"` // the jurisdiction's after the plan
	Pos          int    `db:"pos"` // among the plan's holds
	Arm          int    `db:"arm"`
	Step         string `db:"step"`
	On           day    `db:"on_date"`
	Reason       string `db:"reason"`
}

func (holdRow) table() string { return "holds" }

func (r holdRow) noun() task.Hold {
	return task.Hold{Obligation: r.Obligation, Arm: r.Arm, Step: r.Step, On: civil.Date(r.On), Reason: r.Reason}
}

func holdRows(j string, seq int64, holds []task.Hold) ([]holdRow, error) {
	rows := make([]holdRow, len(holds))
	for i, h := range holds {
		if !strings.HasPrefix(h.Obligation, j+"/") {
			return nil, fmt.Errorf("hold of step %s of %q is not of %s", h.Step, h.Obligation, j)
		}
		if h.On.IsZero() {
			return nil, fmt.Errorf("hold of step %s of %s is of no day", h.Step, h.Obligation)
		}
		rows[i] = holdRow{j, h.Obligation, seq, i, h.Arm, h.Step, day(h.On), clean(h.Reason)}
	}
	return rows, nil
}

// keep writes holds, and notes with their obligations that there are some: of the others nobody asks for any.
func (t *tx) keep(ctx context.Context, holds []holdRow) error {
	if err := insert(ctx, t, holds); err != nil {
		return err
	}
	refs := map[string]bool{}
	for _, h := range holds {
		refs[h.Obligation] = true
	}
	for piece := range slices.Chunk(slices.Sorted(maps.Keys(refs)), maxIn) {
		if _, err := t.exec(ctx, "UPDATE obligations SET has_holds = TRUE WHERE ref IN ("+marks(len(piece))+")", anys(piece)...); err != nil {
			return err
		}
	}
	return nil
}
