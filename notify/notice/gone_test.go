package notice

import (
	"testing"

	"duban/jobs/civil"
)

func TestGone(t *testing.T) {
	d := civil.MustParse("2024-09-25")
	for name, c := range map[string]struct {
		n    Notice
		want bool
	}{
		"removed":                         {Notice{State: Sent, Facts: Facts{Removed: d}}, true},
		"removed before the day was kept": {Notice{State: Superseded}, true},
		"whole":                           {Notice{State: Sent, Facts: Facts{Date: d, Jurisdiction: "示例市"}}, false},
		"whole, without its day":          {Notice{State: Sent, Facts: Facts{Jurisdiction: "示例市"}}, false},
		"a paper":                         {Notice{State: Sent, Facts: Facts{Paper: &Paper{}}}, false},
		"it may still leave":              {Notice{State: Pending}, false},
		"nobody knows":                    {Notice{State: Unknown}, false},
	} {
		if got := c.n.Gone(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPlannedAnew(t *testing.T) {
	for name, c := range map[string]struct {
		moves []Move
		want  bool
	}{
		"no moves":                        {nil, false},
		"proven before it was planned":    {[]Move{{Cause: Hold}, {Cause: Prove, Reason: ProvenBefore}}, true},
		"proven while it was here":        {[]Move{{Cause: Prove, Reason: "the archive proves that a server accepted it"}}, false},
		"a person's words are no proof":   {[]Move{{Cause: Resolve, Reason: ProvenBefore}}, false},
		"the reason of another is not it": {[]Move{{Cause: Prove}}, false},
	} {
		if got := PlannedAnew(c.moves); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
