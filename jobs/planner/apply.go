package planner

import (
	"maps"
	"slices"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/notify/notice"
)

// World is a whole jurisdiction in memory. It plans day by day without a database: the same rules over everything
// there is, so that what the store selects can be checked against it.
type World struct {
	Snapshot
	Set Settings
}

// OpenDay opens what day d opens and returns the world with it.
func (w World) OpenDay(d civil.Date) World {
	existing := map[string]bool{}
	for _, r := range w.Records {
		existing[r.Obligation.Ref.String()] = true
	}
	out := Open(Sources{
		Jurisdiction: w.Jurisdiction, Plans: w.Plans, Tasks: w.Tasks, Directory: w.Directory,
		TaskEvents: w.TaskEvents, Existing: existing,
	}, w.Set, d)
	w.Records = slices.Clone(w.Records)
	for _, o := range out.Obligations {
		w.Records = append(w.Records, task.Record{Obligation: o})
	}
	return w
}

// RemindDay decides the letters of day d on the whole world.
func (w World) RemindDay(d civil.Date) Plan { return Remind(w.whole(d), w.Set, d) }

// Case returns the obligation with all that is decided about it by on day d; ok is false where it, its row or its unit is
// not there.
func (w World) Case(ref string, d civil.Date) (c Case, ok bool) {
	return w.whole(d).Case(ref, w.Set, d)
}

// whole is the snapshot of day d that holds everything.
func (w World) whole(d civil.Date) Snapshot {
	s := w.Snapshot
	s.LeadOpen = map[string]bool{}
	for _, r := range s.Records {
		o := r.Obligation
		if o.Owes == task.OwesDeliver && task.Fold(o, r.Events, d, w.Set.Calendar, w.Set.Terms).Open() {
			s.LeadOpen[o.TaskID.String()+"/"+o.Instance] = true
		}
	}
	s.History = s.Records
	s.Weekly = s.Tasks
	return s
}

// Apply returns the world after the plan was carried out and, as the oracle of simulations has it, every ordinary
// letter was served on its logical date. Forms stay drafts: a person releases them, or nobody does. What had happened to the
// records by then is known.
func (w World) Apply(p Plan) World {
	steps := map[string][]task.FiredStep{}
	for _, f := range p.Steps {
		steps[f.Obligation] = append(steps[f.Obligation], f)
	}
	holds := map[string][]task.Hold{}
	for _, h := range p.Holds {
		holds[h.Obligation] = append(holds[h.Obligation], h)
	}
	w.Planned = p.Day
	w.Records = slices.Clone(w.Records)
	for i, r := range w.Records {
		ref := r.Obligation.Ref.String()
		for _, e := range r.Events {
			w.Known = max(w.Known, e.Seq)
		}
		w.Records[i].Steps = slices.Concat(r.Steps, steps[ref])
		w.Records[i].Holds = slices.Concat(r.Holds, holds[ref])
	}
	w.Documents = slices.Concat(w.Documents, p.Documents)
	for i, doc := range w.Documents {
		if why, dropped := p.Drop[doc.ID]; dropped {
			w.Documents[i].State, w.Documents[i].Why = notice.Dropped, why
		}
	}
	w.Served = maps.Clone(w.Served)
	if w.Served == nil {
		w.Served = map[string]civil.Date{}
	}
	w.Week = w.settled(p)
	for _, n := range p.Notices {
		b := notice.Brief{ID: n.ID, Key: n.Key, State: n.State, Reason: n.Reason}
		if n.State.Open() && n.Reason == "" {
			w.Served[n.ID] = n.Key.Date
			b.State = notice.Sent
		}
		if n.Key.Kind == notice.UnitLetter {
			w.Week = append(w.Week, b)
		}
	}
	return w
}

// settled is the world's letters with those that the plan takes over or takes back.
func (w World) settled(p Plan) []notice.Brief {
	week := slices.Clone(w.Week)
	for i, b := range week {
		if p.Supersede[b.ID] != "" {
			week[i].State = notice.Superseded
		}
		if p.Cancel[b.ID] != "" {
			week[i].State = notice.Cancelled
		}
	}
	return week
}
