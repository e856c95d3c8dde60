package store_test

import (
	"fmt"
	"strings"
	"testing"

	"duban/jobs/task"
	"duban/store"
	"duban/store/storetest"
)

func TestHappeningsComeBackWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var silence task.Silence
		fill(t, &silence)
		silence.Scope, silence.Subject = task.OverObligation, refOf("17", "qjtj", "e:机构改革完成/10").String()
		lift := task.Silence{On: day0, Scope: task.OverUnit, Subject: "qjtj", Lifts: 2}
		var o task.Occurrence
		fill(t, &o)
		o.Kind, o.Ref, o.Unit, o.Person = "行政处罚决定", "鲁崂罚〔2024〕3号", "qjtj", "370212-7"
		bare := task.Occurrence{On: day0, Kind: "机构改革", Ref: "2024"}
		var v task.Training
		fill(t, &v)
		v.Person, v.Ref, v.For = "370212-7", "2024-03 班", "在岗"
		gone := task.Training{Person: "370212-8", Ref: "x", On: day0, Removed: true}
		silence.Jurisdiction, o.Jurisdiction, v.Jurisdiction = j, "", j
		seq := must(t, s, begin(t, s), task.Batch{Silences: []task.Silence{silence, lift}, Occurrences: []task.Occurrence{o, bare},
			Trainings: []task.Training{v, gone}, Plans: []task.Plan{{Code: "p", On: day0}}})
		if seq != 8 {
			t.Errorf("seven entries after one end at seq %d", seq)
		}
		for i, p := range []struct {
			seq  *int64
			code *string
		}{{&silence.Seq, &silence.Jurisdiction}, {&lift.Seq, &lift.Jurisdiction}, {&o.Seq, &o.Jurisdiction}, {&bare.Seq, &bare.Jurisdiction}, {&v.Seq, &v.Jurisdiction}, {&gone.Seq, &gone.Jurisdiction}} {
			*p.seq, *p.code = int64(i+3), j // the plan is 2
		}
		equal(t, "silences", got[[]task.Silence](t)(s.Silences(ctx, j)), []task.Silence{silence, lift})
		equal(t, "occurrences", got[[]task.Occurrence](t)(s.Occurrences(ctx, j)), []task.Occurrence{o, bare})
		equal(t, "training", got[[]task.Training](t)(s.Trainings(ctx, j)), []task.Training{v, gone})
		equal(t, "another's silences", got[[]task.Silence](t)(s.Silences(ctx, "x")), []task.Silence(nil))
		equal(t, "another's occurrences", got[[]task.Occurrence](t)(s.Occurrences(ctx, "x")), []task.Occurrence(nil))
		equal(t, "another's training", got[[]task.Training](t)(s.Trainings(ctx, "x")), []task.Training(nil))
	})
}

func TestAnOccurrenceEnteredAgainIsACorrection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		of := func(kind, ref, unit, exempt string) task.Occurrence {
			return task.Occurrence{On: day0, Kind: kind, Ref: ref, Unit: unit, Exempt: exempt}
		}
		seq := must(t, s, begin(t, s), task.Batch{Occurrences: []task.Occurrence{
			of("处罚", "1", "a", "第一次"), of("许可", "1", "a", ""), of("处罚", "1", "b", ""), of("处罚", "2", "a", ""), of("处罚", "1", "a", "第二次"),
		}})
		must(t, s, seq, task.Batch{Occurrences: []task.Occurrence{of("处罚", "2", "a", "更正"), of("检查", "1", "a", ""), of("处罚", "1", "A", "")}})
		for want, kinds := range map[string][]string{
			"许可1a 处罚1b 处罚1a第二次 处罚2a更正 检查1a 处罚1A": nil,
			"处罚1b 处罚1a第二次 处罚2a更正 处罚1A":           {"处罚"},
			"许可1a 检查1a": {"检查", "许可", "不存在"},
			"":          {"不存在"},
		} {
			var list []string
			for _, o := range got[[]task.Occurrence](t)(s.Occurrences(ctx, j, kinds...)) {
				list = append(list, o.Kind+o.Ref+o.Unit+o.Exempt)
			}
			equal(t, fmt.Sprint("of ", kinds), strings.Join(list, " "), want)
		}
		equal(t, "rows", len(got[[]string](t)(store.Strings(ctx, s, "SELECT kind FROM occurrences"))), 8)
	})
}

func TestHappeningsAreRefusedWhole(t *testing.T) {
	fine := task.Batch{
		Silences:    []task.Silence{{On: day0, Until: day0, Scope: task.OverUnit, Subject: "a"}},
		Occurrences: []task.Occurrence{{On: day0, Kind: "k", Ref: "r"}},
		Trainings:   []task.Training{{On: day0, Person: "p", Ref: "r"}},
	}
	cases := map[string]task.Batch{
		"a silence from no day":                {Silences: []task.Silence{{Scope: task.OverUnit, Subject: "a"}}},
		"a silence over nothing":               {Silences: []task.Silence{{On: day0, Scope: task.OverUnit}}},
		"a silence of no scope":                {Silences: []task.Silence{{On: day0, Subject: "a"}}},
		"another's silence":                    {Silences: []task.Silence{{Jurisdiction: "x", On: day0, Scope: task.OverUnit, Subject: "a"}}},
		"an occurrence on no day":              {Occurrences: []task.Occurrence{{Kind: "k", Ref: "r"}}},
		"an occurrence of no kind":             {Occurrences: []task.Occurrence{{On: day0, Ref: "r"}}},
		"an occurrence without a reference":    {Occurrences: []task.Occurrence{{On: day0, Kind: "k"}}},
		"an occurrence of a unit with a space": {Occurrences: []task.Occurrence{{On: day0, Kind: "k", Ref: "r", Unit: "a "}}},
		"another's occurrence":                 {Occurrences: []task.Occurrence{{Jurisdiction: "x", On: day0, Kind: "k", Ref: "r"}}},
		"a reference that is too long":         {Occurrences: []task.Occurrence{{On: day0, Kind: "k", Ref: strings.Repeat("号", 129)}}},
		"text that is not UTF-8":               {Occurrences: []task.Occurrence{{On: day0, Kind: "k", Ref: "r", Party: "\xff"}}},
		"training on no day":                   {Trainings: []task.Training{{Person: "p", Ref: "r"}}},
		"training of nobody":                   {Trainings: []task.Training{{On: day0, Ref: "r"}}},
		"training without a reference":         {Trainings: []task.Training{{On: day0, Person: "p"}}},
		"another's training":                   {Trainings: []task.Training{{Jurisdiction: "x", On: day0, Person: "p", Ref: "r"}}},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		seq := begin(t, s)
		for name, c := range cases {
			b := task.Batch{At: instant, Silences: append(c.Silences, fine.Silences...), Occurrences: append(c.Occurrences, fine.Occurrences...),
				Trainings: append(c.Trainings, fine.Trainings...)}
			if _, err := s.Write(ctx, j, seq, b); err == nil {
				t.Errorf("%s was written", name)
			}
			left := len(got[[]task.Silence](t)(s.Silences(ctx, j))) + len(got[[]task.Occurrence](t)(s.Occurrences(ctx, j))) + len(got[[]task.Training](t)(s.Trainings(ctx, j)))
			if left != 0 {
				t.Fatalf("%s left %d rows behind", name, left)
			}
		}
		must(t, s, seq, fine)
	})
}

// TestAPersonIsNotNamedInAnError holds that errors, which are logged, say which training it is by its place.
func TestAPersonIsNotNamedInAnError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		_, err := s.Write(t.Context(), j, begin(t, s), task.Batch{Trainings: []task.Training{{On: day0, Person: " 370212-7", Ref: "r"}}})
		if err == nil || strings.Contains(err.Error(), "370212") {
			t.Errorf("error %v", err)
		}
	})
}

func TestFiguresAndFieldsMayBeMissing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		o := obligation(refOf("1", "a", "2024-08"))
		b := task.Batch{Obligations: []task.Obligation{o}, Tasks: []task.Task{{TaskID: taskID("1"), On: day0, Fields: []string{}}, {TaskID: taskID("2"), On: day0}}}
		for _, f := range []map[string]int64{nil, {}, {"发现问题": 0}, {"检查次数": -3, "整改\"数": 1 << 60}} {
			b.Events = append(b.Events, task.Event{On: day0, Kind: task.Reported, Subject: o.Ref.String(), Figures: f, Nil: f == nil})
		}
		must(t, s, begin(t, s), b)
		for i, e := range got[task.Record](t)(s.Record(ctx, o.Ref)).Events {
			equal(t, "figures", e.Figures, b.Events[i].Figures)
			equal(t, "nil return", e.Nil, i == 0)
		}
		tasks := got[[]task.Task](t)(s.Tasks(ctx, j))
		equal(t, "no fields", tasks[0].Fields, []string{})
		equal(t, "no fields ever", tasks[1].Fields, []string(nil))
		equal(t, "missing figures as stored", got[[]string](t)(store.Strings(ctx, s, "SELECT figures FROM events ORDER BY seq"))[:3], []string{"", "{}", `{"发现问题":0}`})
	})
}
