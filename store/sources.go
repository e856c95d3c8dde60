package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/deadline"
	"duban/jobs/task"
)

type jurisdictionRow struct {
	Code     string           `db:"code"`
	Name     string           `db:"name"`
	Bureau   string           `db:"bureau"`
	LiveFrom day              `db:"live_from"`
	Seq      int64            `db:"seq"`
	Caches   string           `db:"caches"`
	Paused   doc[*task.Pause] `db:"paused"`
}

func (jurisdictionRow) table() string { return "jurisdictions" }

func (r jurisdictionRow) noun() task.Jurisdiction {
	return task.Jurisdiction{Code: r.Code, Name: r.Name, Bureau: r.Bureau, LiveFrom: civil.Date(r.LiveFrom), Seq: r.Seq, Caches: r.Caches, Paused: r.Paused.V}
}

func jurisdictionOf(j task.Jurisdiction, seq int64) jurisdictionRow {
	r := jurisdictionRow{Code: j.Code, Name: j.Name, Bureau: j.Bureau, LiveFrom: day(j.LiveFrom), Seq: seq, Caches: j.Caches}
	if j.Paused != nil {
		p := *j.Paused
		p.At = at(p.At).Time
		r.Paused.V = &p
	}
	return r
}

type planRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Code         string `db:"code"`
	Seq          int64  `db:"seq"`
	On           day    `db:"on_date"`
	Title        string `db:"title"`
	DocNumber    string `db:"doc_number"`
	Issued       day    `db:"issued"`
	ValidTo      day    `db:"valid_to"`
}

func (planRow) table() string { return "plan_versions" }

func (r planRow) noun() task.Plan {
	return task.Plan{Jurisdiction: r.Jurisdiction, Code: r.Code, Title: r.Title, DocNumber: r.DocNumber,
		Issued: civil.Date(r.Issued), ValidTo: civil.Date(r.ValidTo), On: civil.Date(r.On), Seq: r.Seq}
}

func planOf(p task.Plan) planRow {
	return planRow{Jurisdiction: p.Jurisdiction, Code: p.Code, Seq: p.Seq, On: day(p.On), Title: p.Title,
		DocNumber: p.DocNumber, Issued: day(p.Issued), ValidTo: day(p.ValidTo)}
}

type taskRow struct {
	Jurisdiction    string                `db:"jurisdiction"`
	Plan            string                `db:"plan"`
	Row             string                `db:"row_code"`
	Seq             int64                 `db:"seq"`
	On              day                   `db:"on_date"`
	Order           int                   `db:"row_order"`
	Heading         string                `db:"heading"`
	Section         string                `db:"section"`
	Title           string                `db:"title"`
	DeadlineText    string                `db:"deadline_text"`
	Reading         doc[deadline.Reading] `db:"reading"`
	Parser          int                   `db:"parser"`
	ClarifiedBy     string                `db:"clarified_by"`
	LeadText        string                `db:"lead_text"`
	ResponsibleText string                `db:"responsible_text"`
	SupportText     string                `db:"support_text"`
	Parties         doc[[]task.Party]     `db:"parties"`
	Deliverable     string                `db:"deliverable"`
	Evidence        string                `db:"evidence"`
	Channel         string                `db:"channel"`
	SendTo          string                `db:"send_to"`
	Chase           task.Chase            `db:"chase"`
	ValidTo         day                   `db:"valid_to"`
	ReportDay       int                   `db:"report_day"`
	Category        task.Category         `db:"category"`
	Withdrawn       bool                  `db:"withdrawn"`
	Weekly          bool                  `db:"weekly"` // what Task.Weekly says, to be found by
	Source          string                `db:"source"`
	Fields          maybe[[]string]       `db:"fields"`
}

func (taskRow) table() string { return "task_versions" }

func (r taskRow) noun() task.Task {
	return task.Task{
		TaskID: task.TaskID{Jurisdiction: r.Jurisdiction, Plan: r.Plan, Row: r.Row},
		Order:  r.Order, Heading: r.Heading, Section: r.Section, Title: r.Title,
		DeadlineText: r.DeadlineText, Reading: r.Reading.V, Parser: r.Parser, ClarifiedBy: r.ClarifiedBy,
		LeadText: r.LeadText, ResponsibleText: r.ResponsibleText, SupportText: r.SupportText, Parties: r.Parties.V,
		Deliverable: r.Deliverable, Evidence: r.Evidence, Channel: r.Channel, SendTo: r.SendTo, Chase: r.Chase,
		ValidTo: civil.Date(r.ValidTo), ReportDay: r.ReportDay, Category: r.Category,
		Withdrawn: r.Withdrawn, On: civil.Date(r.On), Seq: r.Seq, Source: r.Source,
		Fields: r.Fields.V,
	}
}

func taskOf(t task.Task) taskRow {
	return taskRow{
		Jurisdiction: t.Jurisdiction, Plan: t.Plan, Row: t.Row, Seq: t.Seq, On: day(t.On),
		Order: t.Order, Heading: t.Heading, Section: t.Section, Title: t.Title,
		DeadlineText: t.DeadlineText, Reading: doc[deadline.Reading]{t.Reading}, Parser: t.Parser, ClarifiedBy: t.ClarifiedBy,
		LeadText: t.LeadText, ResponsibleText: t.ResponsibleText, SupportText: t.SupportText, Parties: doc[[]task.Party]{t.Parties},
		Deliverable: t.Deliverable, Evidence: t.Evidence, Channel: t.Channel, SendTo: t.SendTo, Chase: t.Chase,
		ValidTo: day(t.ValidTo), ReportDay: t.ReportDay, Category: t.Category, Withdrawn: t.Withdrawn, Weekly: t.Weekly(), Source: t.Source,
		Fields: maybe[[]string]{t.Fields},
	}
}

type unitRow struct {
	Jurisdiction string     `db:"jurisdiction"`
	Code         string     `db:"code"`
	Seq          int64      `db:"seq"`
	On           day        `db:"on_date"`
	Name         string     `db:"name"`
	FullName     string     `db:"full_name"`
	Honorific    string     `db:"honorific"`
	Address      string     `db:"address"`
	Chase        task.Chase `db:"chase"`
	Removed      bool       `db:"removed"`
}

func (unitRow) table() string { return "units" }

func (r *unitRow) dest() []any {
	return []any{&r.Jurisdiction, &r.Code, &r.Seq, &r.On, &r.Name, &r.FullName, &r.Honorific, &r.Address, (*string)(&r.Chase), &r.Removed}
}

func (r unitRow) noun() task.Unit {
	return task.Unit{Code: r.Code, Name: r.Name, FullName: r.FullName, Honorific: r.Honorific, Address: r.Address,
		Chase: r.Chase, Removed: r.Removed, On: civil.Date(r.On), Seq: r.Seq}
}

func unitOf(j string, u task.Unit) unitRow {
	return unitRow{Jurisdiction: j, Code: u.Code, Seq: u.Seq, On: day(u.On), Name: u.Name, FullName: u.FullName,
		Honorific: u.Honorific, Address: u.Address, Chase: u.Chase, Removed: u.Removed}
}

type aliasRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Unit         string `db:"unit"`
	Seq          int64  `db:"seq"`
	Pos          int    `db:"pos"`
	Alias        string `db:"alias"`
}

func (aliasRow) table() string { return "unit_names" }

func (r *aliasRow) dest() []any { return []any{&r.Jurisdiction, &r.Unit, &r.Seq, &r.Pos, &r.Alias} }

type memberRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Unit         string `db:"unit"`
	Seq          int64  `db:"seq"`
	Pos          int    `db:"pos"`
	Group        string `db:"group_code"`
}

func (memberRow) table() string { return "group_members" }

func (r *memberRow) dest() []any { return []any{&r.Jurisdiction, &r.Unit, &r.Seq, &r.Pos, &r.Group} }

type contactRow struct {
	Jurisdiction string    `db:"jurisdiction"`
	Unit         string    `db:"unit"`
	Seq          int64     `db:"seq"`
	Pos          int       `db:"pos"`
	Role         task.Role `db:"role"`
	Name         string    `db:"name"`
	Email        string    `db:"email"`
	Phone        string    `db:"phone"`
}

func (contactRow) table() string { return "contacts" }

func (r *contactRow) dest() []any {
	return []any{&r.Jurisdiction, &r.Unit, &r.Seq, &r.Pos, (*string)(&r.Role), &r.Name, &r.Email, &r.Phone}
}

type groupRow struct {
	Jurisdiction string        `db:"jurisdiction"`
	Code         string        `db:"code"`
	Seq          int64         `db:"seq"`
	On           day           `db:"on_date"`
	Name         string        `db:"name"`
	Aliases      doc[[]string] `db:"aliases"`
	Removed      bool          `db:"removed"`
}

func (groupRow) table() string { return "unit_groups" }

func (r groupRow) noun() task.Group {
	return task.Group{Code: r.Code, Name: r.Name, Aliases: r.Aliases.V, Removed: r.Removed, On: civil.Date(r.On), Seq: r.Seq}
}

func groupOf(j string, g task.Group) groupRow {
	return groupRow{Jurisdiction: j, Code: g.Code, Seq: g.Seq, On: day(g.On), Name: g.Name, Aliases: doc[[]string]{g.Aliases}, Removed: g.Removed}
}

type personRow struct {
	Jurisdiction string `db:"jurisdiction"`
	Key          string `db:"person"`
	Seq          int64  `db:"seq"`
	On           day    `db:"on_date"`
	Name         string `db:"name"`
	Unit         string `db:"unit"`
	Post         string `db:"post"`
	Certificate  string `db:"certificate"`
	ValidTo      day    `db:"valid_to"`
	CertState    string `db:"cert_state"`
	HeldFrom     day    `db:"held_from"`
	HeldTo       day    `db:"held_to"`
	Duty         string `db:"duty"`
	Hours        int    `db:"hours"`
	Removed      bool   `db:"removed"`
}

func (personRow) table() string { return "people" }

func (r personRow) noun() task.Person {
	return task.Person{Key: r.Key, Name: r.Name, Unit: r.Unit, Post: r.Post, Certificate: r.Certificate,
		ValidTo: civil.Date(r.ValidTo), CertState: r.CertState, HeldFrom: civil.Date(r.HeldFrom), HeldTo: civil.Date(r.HeldTo),
		Duty: r.Duty, Hours: r.Hours, Removed: r.Removed, On: civil.Date(r.On), Seq: r.Seq}
}

func personOf(j string, p task.Person) personRow {
	return personRow{Jurisdiction: j, Key: p.Key, Seq: p.Seq, On: day(p.On), Name: p.Name, Unit: p.Unit, Post: p.Post,
		Certificate: p.Certificate, ValidTo: day(p.ValidTo), CertState: p.CertState, HeldFrom: day(p.HeldFrom),
		HeldTo: day(p.HeldTo), Duty: p.Duty, Hours: p.Hours, Removed: p.Removed}
}

// nouns turns rows into what they mean.
func nouns[R interface{ noun() N }, N any](rows []R) []N {
	var out []N
	for _, r := range rows {
		out = append(out, r.noun())
	}
	return out
}

// Jurisdictions returns all of them, by code.
func (s *Store) Jurisdictions(ctx context.Context) (out []task.Jurisdiction, err error) {
	err = s.read(ctx, "read jurisdictions", func(t *tx) error {
		rows, err := query[jurisdictionRow](ctx, t, "ORDER BY code")
		out = nouns(rows)
		return err
	})
	return out, err
}

// Jurisdiction returns the one of the code, or ErrNotFound.
func (s *Store) Jurisdiction(ctx context.Context, code string) (out task.Jurisdiction, err error) {
	err = s.read(ctx, "read jurisdiction "+code, func(t *tx) error {
		rows, err := query[jurisdictionRow](ctx, t, "WHERE code = ?", code)
		if err != nil {
			return err
		}
		if len(rows) == 0 || rows[0].Code != code {
			return ErrNotFound
		}
		out = rows[0].noun()
		return nil
	})
	return out, err
}

// Plans returns every version of the jurisdiction's plans, by code and seq.
func (s *Store) Plans(ctx context.Context, j string) (out []task.Plan, err error) {
	err = s.read(ctx, "read plans of "+j, func(t *tx) error {
		out, err = remember(ctx, t, j, "plans", func() ([]task.Plan, error) {
			rows, err := query[planRow](ctx, t, "WHERE jurisdiction = ? ORDER BY code, seq", j)
			return nouns(rows), err
		})
		return err
	})
	return out, err
}

// Tasks returns every version of the jurisdiction's tasks, by plan, row code and seq.
func (s *Store) Tasks(ctx context.Context, j string) (out []task.Task, err error) {
	err = s.read(ctx, "read tasks of "+j, func(t *tx) error {
		out, err = remember(ctx, t, j, "tasks", func() ([]task.Task, error) {
			rows, err := query[taskRow](ctx, t, "WHERE jurisdiction = ? ORDER BY plan, row_code, seq", j)
			return nouns(rows), err
		})
		return err
	})
	return out, err
}

// TaskVersions returns every version of the tasks named, by plan, row code and seq; no names, no versions.
func (s *Store) TaskVersions(ctx context.Context, j string, ids []task.TaskID) (out []task.Task, err error) {
	plans, err := byPlan(j, ids)
	if err != nil {
		return nil, fmt.Errorf("read task versions: %w", err)
	}
	err = s.read(ctx, "read task versions of "+j, func(t *tx) error {
		out = nil
		for _, p := range plans {
			rows, err := queryIn[taskRow](ctx, t, "WHERE jurisdiction = ? AND plan = ? AND row_code IN (%s) ORDER BY row_code, seq",
				[]any{j, p.code}, p.rows)
			if err != nil {
				return err
			}
			out = append(out, nouns(rows)...)
		}
		return nil
	})
	return out, err
}

func weeklyTail(d *dialect) string {
	return "WHERE jurisdiction = ? AND (plan, row_code) IN (SELECT plan, row_code FROM task_versions " + d.by("task_versions_weekly") +
		" WHERE jurisdiction = ? AND weekly = ?) ORDER BY plan, row_code, seq"
}

// WeeklyTasks returns every version of the tasks that go on for ever or await their trigger in some version, by plan, row
// code and seq.
func (s *Store) WeeklyTasks(ctx context.Context, j string) (out []task.Task, err error) {
	err = s.read(ctx, "read standing tasks of "+j, func(t *tx) error {
		rows, err := query[taskRow](ctx, t, weeklyTail(t.d), j, j, true)
		out = nouns(rows)
		return err
	})
	return out, err
}

// planTasks is row codes of one plan, sorted and each once.
type planTasks struct {
	code string
	rows []string
}

// byPlan sorts task names by plan: a condition on two columns is a list per plan.
func byPlan(j string, ids []task.TaskID) ([]planTasks, error) {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b task.TaskID) int {
		return cmp.Or(cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Row, b.Row))
	})
	var out []planTasks
	for _, id := range slices.Compact(ids) {
		if id.Jurisdiction != j {
			return nil, fmt.Errorf("task %s is not of %s", id, j)
		}
		if len(out) == 0 || out[len(out)-1].code != id.Plan {
			out = append(out, planTasks{code: id.Plan})
		}
		last := &out[len(out)-1]
		last.rows = append(last.rows, id.Row)
	}
	return out, nil
}

// People returns every version of the jurisdiction's enforcement staff, by key and seq.
func (s *Store) People(ctx context.Context, j string) (out []task.Person, err error) {
	err = s.read(ctx, "read people of "+j, func(t *tx) error {
		out, err = remember(ctx, t, j, "people", func() ([]task.Person, error) {
			rows, err := query[personRow](ctx, t, "WHERE jurisdiction = ? ORDER BY person, seq", j)
			return nouns(rows), err
		})
		return err
	})
	return out, err
}

// Directory returns every version of the jurisdiction's units and groups, by code and seq.
func (s *Store) Directory(ctx context.Context, j string) (dir task.Directory, err error) {
	err = s.read(ctx, "read directory of "+j, func(t *tx) error {
		if dir.Units, err = remember(ctx, t, j, "units", func() ([]task.Unit, error) { return units(ctx, t, "", "", j) }); err != nil {
			return err
		}
		dir.Groups, err = remember(ctx, t, j, "groups", func() ([]task.Group, error) {
			groups, err := query[groupRow](ctx, t, "WHERE jurisdiction = ? ORDER BY code, seq", j)
			return nouns(groups), err
		})
		return err
	})
	return dir, err
}

// UnitVersions returns every version of the units named, by code and seq.
func (s *Store) UnitVersions(ctx context.Context, j string, codes []string) (out []task.Unit, err error) {
	codes = slices.Compact(slices.Sorted(slices.Values(codes)))
	err = s.read(ctx, "read units of "+j, func(t *tx) error {
		out = nil
		for piece := range slices.Chunk(codes, maxIn) {
			piece = filled(t, piece)
			in := " IN (" + marks(len(piece)) + ")"
			some, err := units(ctx, t, " AND code"+in, " AND unit"+in, slices.Concat([]any{j}, anys(piece))...)
			if err != nil {
				return err
			}
			out = append(out, some...)
		}
		return nil
	})
	return out, err
}

// units reads versions of units with their names, memberships and contacts; which ones is said twice, since the parts
// name their unit by another column.
func units(ctx context.Context, t *tx, and, partsAnd string, args ...any) ([]task.Unit, error) {
	rows, err := query[unitRow](ctx, t, "WHERE jurisdiction = ?"+and+" ORDER BY code, seq", args...)
	if err != nil {
		return nil, err
	}
	parts := "WHERE jurisdiction = ?" + partsAnd + " ORDER BY unit, seq, pos"
	aliases, err := query[aliasRow](ctx, t, parts, args...)
	if err != nil {
		return nil, err
	}
	members, err := query[memberRow](ctx, t, parts, args...)
	if err != nil {
		return nil, err
	}
	contacts, err := query[contactRow](ctx, t, parts, args...)
	if err != nil {
		return nil, err
	}
	return assemble(rows, aliases, members, contacts), nil
}

func assemble(rows []unitRow, aliases []aliasRow, members []memberRow, contacts []contactRow) []task.Unit {
	units := nouns(rows)
	bySeq := make(map[int64]*task.Unit, len(units)) // a seq numbers one version of one thing
	for i := range units {
		bySeq[units[i].Seq] = &units[i]
	}
	for _, r := range aliases {
		u := bySeq[r.Seq]
		u.Aliases = append(u.Aliases, r.Alias)
	}
	for _, r := range members {
		u := bySeq[r.Seq]
		u.Groups = append(u.Groups, r.Group)
	}
	for _, r := range contacts {
		u := bySeq[r.Seq]
		u.Contacts = append(u.Contacts, task.Contact{Role: r.Role, Name: r.Name, Email: r.Email, Phone: r.Phone})
	}
	for i, u := range units { // what is remembered is appended to by more than one
		units[i].Aliases, units[i].Groups, units[i].Contacts = slices.Clip(u.Aliases), slices.Clip(u.Groups), slices.Clip(u.Contacts)
	}
	return units
}
