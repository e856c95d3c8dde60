package notify

import (
	"context"

	"duban/notify/compose"
	"duban/notify/notice"
)

// Serial makes a transport of a simple one, with a single lane.
func Serial(s Single) Transport { return serial{s} }

type serial struct{ Single }

func (serial) Lanes() int { return 1 }

func (s serial) Lane() Lane { return serialLane(s) }

type serialLane struct{ Single }

func (s serialLane) Send(ctx context.Context, mails []compose.Message, each Each) int {
	for i, m := range mails {
		refused := false
		if ctx.Err() != nil {
			return i
		}
		r := s.Single.Send(ctx, m, func() error {
			err := each.BeforeDot(i, m)
			refused = err != nil
			return err
		})
		if refused {
			return i
		}
		if r.Phase == "" {
			r.Phase = notice.PhaseBody
		}
		if !each.Done(i, r) || r.Phase.AboutServer() {
			return i + 1
		}
	}
	return len(mails)
}
