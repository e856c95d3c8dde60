package jobs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/notice"
)

// movingRegister is a HealthStore that somebody else writes to, ten times a second, for a while.
type movingRegister struct {
	*fakeSlots
	begun  time.Time
	moving time.Duration

	mu    sync.Mutex
	wrote []time.Duration // when letters were written, since it began
	tries int
}

func (m *movingRegister) letters() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.wrote)
}

func (m *movingRegister) seq() int64 {
	return int64(min(time.Since(m.begun), m.moving) / (100 * time.Millisecond))
}

func (m *movingRegister) Jurisdiction(_ context.Context, code string) (task.Jurisdiction, error) {
	return task.Jurisdiction{Code: code, Bureau: "sfj", Seq: m.seq()}, nil
}

func (m *movingRegister) UnitVersions(context.Context, string, []string) ([]task.Unit, error) {
	time.Sleep(150 * time.Millisecond) // to decide takes longer than from one writing to the next
	return nil, nil
}

func (m *movingRegister) Unsent(context.Context, string, string, civil.Date) ([]notice.Notice, error) {
	return nil, nil
}

func (m *movingRegister) NoticeIDs(context.Context, string, civil.Date) ([]string, error) {
	return nil, nil
}

func (m *movingRegister) SavePlan(ctx context.Context, code string, seq int64, p run.DayPlan) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tries++; seq != m.seq() {
		return fmt.Errorf("save plan: %w", task.ErrMoved)
	}
	for range p.Notices {
		m.wrote = append(m.wrote, time.Since(m.begun))
	}
	return m.FinishSlot(ctx, p.Run)
}

// TestALetterIsWrittenInItsTickAlthoughOthersWrite: as the operations letter is, while another worker of the same process opens
// the day. Only where that goes on and on is it left to the next tick; it never waits as long as what failed.
func TestALetterIsWrittenInItsTickAlthoughOthersWrite(t *testing.T) {
	for name, c := range map[string]struct {
		moving time.Duration
		within time.Duration // when it has left, at the latest
		failed bool          // in its first tick
	}{
		"nobody else writes":    {0, time.Second, false},
		"the jobs of a day":     {2 * time.Second, 4 * time.Second, false},
		"a file of many rows":   {6 * time.Second, 9 * time.Second, false},
		"for half a minute":     {30 * time.Second, 61 * time.Second, true},
		"until after two ticks": {125 * time.Second, 181 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _, _, slots := newWorker(t, "a")
				m := &movingRegister{fakeSlots: slots, begun: time.Now(), moving: c.moving}
				w.Runner.Jobs = []Job{Health{
					Store: m, Settings: plain, To: []string{"ops@sfj.example"},
					Look: func(context.Context, string, civil.Date) (Condition, error) { return Condition{}, nil },
				}}
				w.Specs = map[string]cron.Schedule{"health": spec(t, "0 8 * * *")} // it is eight in the morning
				var left time.Duration
				w.Deliver = func(context.Context, string, civil.Date, bool) error {
					if left == 0 && m.letters() > 0 {
						left = time.Since(m.begun)
					}
					if failed := slots.states("health")["failed"] == 1; m.letters() == 0 && failed != c.failed {
						t.Errorf("after %s it has failed: %t", time.Since(m.begun), failed)
					}
					return nil
				}
				serve(t, w, 20*time.Minute)
				if len(m.wrote) != 1 || left == 0 || left > c.within || slots.on("health", "a", "2000-01-01") != "done" {
					t.Errorf("written at %v, left after %s, tried %d times; the slot is %s", m.wrote, left, m.tries, slots.on("health", "a", "2000-01-01"))
				}
			})
		})
	}
}

// TestADeliveryIsFollowedByTheOneAskedForMeanwhile: it may have looked for the last time before the letters were there.
func TestADeliveryIsFollowedByTheOneAskedForMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, remind, _ := newWorker(t, "a")
		w.Heartbeat = spec(t, "*/10 * * * *")
		begun := time.Now()
		var mu sync.Mutex
		var planned, left time.Time
		remind.run = func(run.Slot) error { // at nine
			mu.Lock()
			defer mu.Unlock()
			planned = time.Now()
			return nil
		}
		type asked struct {
			at      time.Duration
			planned bool
		}
		var all []asked
		var at atomic.Int64 // how many deliveries are under way
		w.Deliver = func(_ context.Context, _ string, _ civil.Date, p bool) error {
			mu.Lock()
			all = append(all, asked{time.Since(begun), p})
			if !planned.IsZero() && left.IsZero() {
				left = time.Now()
			}
			mu.Unlock()
			if at.Add(1) != 1 {
				t.Error("two deliveries at once")
			}
			defer at.Add(-1)
			if time.Since(begun) == 40*time.Minute {
				time.Sleep(25 * time.Minute) // a slow server, which is told goodbye at five past nine
			}
			return nil
		}
		serve(t, w, 75*time.Minute)
		want := []asked{{0, false}, {10 * time.Minute, false}, {20 * time.Minute, false}, {30 * time.Minute, false}, {40 * time.Minute, false},
			{65 * time.Minute, true}, {70 * time.Minute, true}}
		if fmt.Sprint(all) != fmt.Sprint(want) || left.Sub(planned) != 5*time.Minute {
			t.Errorf("letters of %s left at %s; deliveries: %v, want %v", planned, left, all, want)
		}
	})
}
