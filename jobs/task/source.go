// Package task holds the nouns of duban: who has to do what by when (plans, tasks, units), what is owed
// (obligations), and what happened (events), together with the fold that turns events into a state.
//
// Everything here is a value. Sources and events carry two coordinates of time: On, the civil date they count from,
// and Seq, a number rising per jurisdiction with every write. "As of day D" reads what has On ≤ D.
package task

import (
	"cmp"
	"slices"
	"time"

	"duban/jobs/civil"
	"duban/jobs/deadline"
)

// Jurisdiction (行政区域) is a county, district or city; it owns plans, units, calendar and policy.
type Jurisdiction struct {
	Code string `json:"code"` // lower-case ASCII, as in "laoshan"
	Name string `json:"name"` // 青岛市崂山区
	// Bureau is the code of the unit that is the justice bureau itself.
	Bureau string `json:"bureau"`
	// LiveFrom is the day duban was taken into use: what fell due before it is inherited, neither chased nor counted.
	LiveFrom civil.Date `json:"live_from"`
	// Seq is the number of the last write; a plan made on an older one is made again.
	Seq int64 `json:"seq"`
	// Caches is the hash of the calendar and ladder the cached columns were computed with.
	Caches string `json:"caches,omitempty"`
	Paused *Pause `json:"paused,omitempty"`
}

// Pause says that no letters leave a jurisdiction, though everything is still evaluated.
type Pause struct {
	At  time.Time `json:"at"`
	Who string    `json:"who"`
	Why string    `json:"why"`
}

// Role is a unit's role in a task, or a contact's in a unit.
type Role string

// The roles of a unit in a task, strongest first.
const (
	Lead        Role = "lead"        // 牵头单位
	Responsible Role = "responsible" // 责任单位
	Support     Role = "support"     // 配合、参与单位
	Guide       Role = "guide"       // 指导单位
)

// Rank orders the roles: the lowest rank wins where a unit is named twice.
func (r Role) Rank() int { return slices.Index([]Role{Lead, Responsible, Support, Guide}, r) }

// Owes says what a party has to hand over.
type Owes string

// What a party owes. Lead and responsible units deliver by default, the others are informed.
const (
	OwesDeliver Owes = "deliver"
	OwesSupport Owes = "support" // is informed, never urged
	OwesNone    Owes = "none"
)

// Chase says how a unit may be written to.
type Chase string

// The ways of chasing a unit.
const (
	ChaseLetter   Chase = "letter"
	ChaseCourtesy Chase = "courtesy" // information only, never urged
	ChaseManual   Chase = "manual"   // bureau's digest only: party, disciplinary, court organs
	ChaseNone     Chase = "none"
)

// Party is a unit or a group with its role in a task, as the ledger names it.
type Party struct {
	Code  string `json:"code"` // of a unit, or of a group
	Group bool   `json:"group,omitempty"`
	Role  Role   `json:"role"`
	Owes  Owes   `json:"owes"`
}

// Plan (实施方案) is an issued document; one value is one version of it.
type Plan struct {
	Jurisdiction string     `json:"jurisdiction"`
	Code         string     `json:"code"`
	Title        string     `json:"title"`
	DocNumber    string     `json:"doc_number"` // 文号, may be empty
	Issued       civil.Date `json:"issued"`
	ValidTo      civil.Date `json:"valid_to"`
	On           civil.Date `json:"on"`
	Seq          int64      `json:"seq"`
}

// Category sets a row apart that no deadline reading alone can place.
type Category string

// The categories of rows. The empty category is an ordinary row, placed by its reading.
const (
	Ordinary   Category = ""
	Standing   Category = "standing"   // 长期: kept, never an open item by itself
	Personnel  Category = "personnel"  // 人员: listed as not chased yet
	PerCase    Category = "per-case"   // 逐案: a clock that each case starts
	Inspection Category = "inspection" // 检查: inspections of enterprises
)

// TaskID names a row of a plan.
type TaskID struct {
	Jurisdiction string `json:"jurisdiction"`
	Plan         string `json:"plan"`
	Row          string `json:"row"` // 编号, else 序号
}

// String returns "laoshan/zfzl2024/17".
func (id TaskID) String() string { return id.Jurisdiction + "/" + id.Plan + "/" + id.Row }

// Task (任务) is one version of one row of a plan's ledger.
type Task struct {
	TaskID
	// Order is the row's place in the ledger, from 1; letters and lists keep it.
	Order   int    `json:"order"`
	Heading string `json:"heading,omitempty"` // 一级任务
	Section string `json:"section,omitempty"` // 二级任务
	Title   string `json:"title"`             // 任务、措施

	DeadlineText string           `json:"deadline_text"` // the cell as written
	Reading      deadline.Reading `json:"reading"`       // frozen at import, or given by a person
	Parser       int              `json:"parser"`        // the parser version that read the cell
	ClarifiedBy  string           `json:"clarified_by,omitempty"`

	LeadText        string  `json:"lead_text,omitempty"`
	ResponsibleText string  `json:"responsible_text,omitempty"`
	SupportText     string  `json:"support_text,omitempty"`
	Parties         []Party `json:"parties"`

	Deliverable string     `json:"deliverable,omitempty"` // 成果形式; empty: the row asks for progress and is never urged
	Evidence    string     `json:"evidence,omitempty"`    // 佐证材料
	Channel     string     `json:"channel,omitempty"`     // 报送方式
	SendTo      string     `json:"send_to,omitempty"`     // 报送对象
	Chase       Chase      `json:"chase,omitempty"`       // overrides the unit's, where set
	ValidTo     civil.Date `json:"valid_to"`
	ReportDay   int        `json:"report_day,omitempty"` // day of the month after the period, 0: the jurisdiction's
	Category    Category   `json:"category,omitempty"`
	// Fields are the names of the figures that a return of this duty carries (填报指标), in the order of its summary.
	Fields []string `json:"fields,omitempty"`

	Withdrawn bool       `json:"withdrawn,omitempty"`
	On        civil.Date `json:"on"`
	Seq       int64      `json:"seq"`
	Source    string     `json:"source,omitempty"` // file, sheet and row it was read from
}

// Weekly reports whether the row is one of those that letters name once a week: it goes on for ever, or awaits its
// trigger.
func (t Task) Weekly() bool {
	if t.Category == PerCase || t.Category == Personnel || t.Category == Inspection {
		return false
	}
	return t.Category == Standing || t.Reading.Condition != nil ||
		t.Reading.Standing && len(t.Reading.Milestones) == 0 && len(t.Reading.Recurrences) == 0
}

// Unit (单位) is one version of a unit.
type Unit struct {
	Code      string     `json:"code"`
	Name      string     `json:"name"`      // as plans write it: 区交通运输局
	FullName  string     `json:"full_name"` // as letters address it: 青岛市崂山区交通运输局
	Honorific string     `json:"honorific"` // 贵局
	Address   string     `json:"address,omitempty"`
	Chase     Chase      `json:"chase"`
	Aliases   []string   `json:"aliases,omitempty"`
	Groups    []string   `json:"groups,omitempty"` // codes
	Contacts  []Contact  `json:"contacts,omitempty"`
	Removed   bool       `json:"removed,omitempty"`
	On        civil.Date `json:"on"`
	Seq       int64      `json:"seq"`
}

// Group (单位组) is one version of a named group of units.
type Group struct {
	Code    string     `json:"code"`
	Name    string     `json:"name"`
	Aliases []string   `json:"aliases,omitempty"`
	Removed bool       `json:"removed,omitempty"`
	On      civil.Date `json:"on"`
	Seq     int64      `json:"seq"`
}

// The roles of a contact.
const (
	Liaison Role = "liaison" // 联络员
	Deputy  Role = "deputy"  // 分管负责人
	Head    Role = "head"    // 主要负责人
	Legal   Role = "legal"   // 法制联系人
)

// Contact is a person of a unit who receives letters.
type Contact struct {
	Role  Role   `json:"role"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone,omitempty"`
}

// Contact returns the unit's contact in the role.
func (u Unit) Contact(r Role) (Contact, bool) {
	i := slices.IndexFunc(u.Contacts, func(c Contact) bool { return c.Role == r })
	if i < 0 {
		return Contact{}, false
	}
	return u.Contacts[i], true
}

// Person is one version of a member of the enforcement staff. Personal data: never logged, masked where listed.
type Person struct {
	Key         string     `json:"key"` // 人员编号
	Name        string     `json:"name"`
	Unit        string     `json:"unit"`
	Post        string     `json:"post"` // 执法, 法制审核, 执法监督
	Certificate string     `json:"certificate"`
	ValidTo     civil.Date `json:"valid_to"`
	CertState   string     `json:"cert_state"` // 有效, 暂扣, 注销
	HeldFrom    civil.Date `json:"held_from"`
	HeldTo      civil.Date `json:"held_to"`
	Duty        string     `json:"duty"`  // 在岗, 离岗, 新申领
	Hours       int        `json:"hours"` // class hours of 45 minutes this year
	Removed     bool       `json:"removed,omitempty"`
	On          civil.Date `json:"on"`
	Seq         int64      `json:"seq"`
}

// Directory is every version of a jurisdiction's units and groups, in any order.
type Directory struct {
	Units  []Unit
	Groups []Group
}

// AsOf returns the directory as it stood on day d: the latest version of each unit and group with On ≤ d, those
// removed left out, sorted by code.
func (dir Directory) AsOf(d civil.Date) Directory {
	return Directory{
		Units: asOf(dir.Units, d, func(u Unit) version { return version{u.Code, u.On, u.Seq, u.Removed} }),
		Groups: asOf(dir.Groups, d, func(g Group) version {
			return version{g.Code, g.On, g.Seq, g.Removed}
		}),
	}
}

// Unit returns the unit of the code. Call it on a directory as of a day.
func (dir Directory) Unit(code string) (Unit, bool) {
	i := slices.IndexFunc(dir.Units, func(u Unit) bool { return u.Code == code })
	if i < 0 {
		return Unit{}, false
	}
	return dir.Units[i], true
}

// Members returns the codes of the units in the group, sorted.
func (dir Directory) Members(group string) []string {
	var codes []string
	for _, u := range dir.Units {
		if slices.Contains(u.Groups, group) {
			codes = append(codes, u.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

// Expand turns a task's parties into units as of the directory's day: groups become their members, and a unit named
// more than once keeps its strongest role and the most it owes.
func (dir Directory) Expand(parties []Party) []Party {
	byUnit := map[string]Party{}
	add := func(p Party) {
		old, seen := byUnit[p.Code]
		if seen {
			if old.Role.Rank() < p.Role.Rank() {
				p.Role = old.Role
			}
			if owesRank(old.Owes) < owesRank(p.Owes) {
				p.Owes = old.Owes
			}
		}
		byUnit[p.Code] = p
	}
	for _, p := range parties {
		if !p.Group {
			if _, ok := dir.Unit(p.Code); ok {
				add(p)
			}
			continue
		}
		for _, code := range dir.Members(p.Code) {
			add(Party{Code: code, Role: p.Role, Owes: p.Owes})
		}
	}
	out := make([]Party, 0, len(byUnit))
	for _, p := range byUnit {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Party) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

func owesRank(o Owes) int { return slices.Index([]Owes{OwesDeliver, OwesSupport, OwesNone}, o) }

type version struct {
	key     string
	on      civil.Date
	seq     int64
	removed bool
}

// asOf keeps, per key, the version with the greatest (On, Seq) among those with On ≤ d.
func asOf[T any](all []T, d civil.Date, of func(T) version) []T {
	best := map[string]T{}
	for _, v := range all {
		w := of(v)
		if w.on > d {
			continue
		}
		if old, ok := best[w.key]; ok {
			o := of(old)
			if cmp.Or(cmp.Compare(o.on, w.on), cmp.Compare(o.seq, w.seq)) > 0 {
				continue
			}
		}
		best[w.key] = v
	}
	out := make([]T, 0, len(best))
	for _, v := range best {
		if !of(v).removed {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b T) int { return cmp.Compare(of(a).key, of(b).key) })
	return out
}

// TasksAsOf returns the tasks in force on day d, in ledger order within each plan; withdrawn rows are left out.
func TasksAsOf(all []Task, d civil.Date) []Task {
	out := asOf(all, d, func(t Task) version { return version{t.TaskID.String(), t.On, t.Seq, t.Withdrawn} })
	slices.SortFunc(out, func(a, b Task) int {
		return cmp.Or(cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Row, b.Row))
	})
	return out
}

// PlansAsOf returns the plans in force on day d, sorted by code.
func PlansAsOf(all []Plan, d civil.Date) []Plan {
	return asOf(all, d, func(p Plan) version { return version{p.Code, p.On, p.Seq, false} })
}

// PeopleAsOf returns the roster on day d, sorted by key.
func PeopleAsOf(all []Person, d civil.Date) []Person {
	return asOf(all, d, func(p Person) version { return version{p.Key, p.On, p.Seq, p.Removed} })
}
