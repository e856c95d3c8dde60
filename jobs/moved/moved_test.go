package moved

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"duban/jobs/task"
)

func TestRetry(t *testing.T) {
	other := errors.New("the disk is full")
	for _, c := range []struct {
		name   string
		moving time.Duration // how long others write; negative: for ever
		then   error
		within time.Duration // how long it may take
		least  int           // how often it is tried, at least and at most
		most   int
		want   error
	}{
		{"nobody else writes", 0, nil, 0, 1, 1, nil},
		{"another failure", 0, other, 0, 1, 1, other},
		{"the jobs of a day, half a second", 500 * time.Millisecond, nil, time.Second, 3, 8, nil},
		{"a file of many rows, five seconds", 5 * time.Second, nil, 6 * time.Second, 8, 13, nil},
		{"a failure after others wrote", time.Second, other, 2 * time.Second, 3, 9, other},
		{"others never stop", -1, nil, 10 * time.Second, tries, tries, task.ErrMoved},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, n := time.Now(), 0
				err := Retry(t.Context(), func() error {
					n++
					if c.moving < 0 || time.Since(began) < c.moving {
						return fmt.Errorf("save plan: %w", task.ErrMoved)
					}
					return c.then
				})
				if took := time.Since(began); !errors.Is(err, c.want) || took > c.within || n < c.least || n > c.most {
					t.Errorf("%v after %d tries in %s", err, n, took)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := Retry(ctx, func() error { return task.ErrMoved })
		if took := time.Since(began); !errors.Is(err, task.ErrMoved) || took != time.Second {
			t.Errorf("%v after %s", err, took)
		}
		n := 0
		if err := Retry(ctx, func() error { n++; return nil }); err != nil || n != 1 {
			t.Errorf("what has begun is tried: %v, %d times", err, n)
		}
	})
}
