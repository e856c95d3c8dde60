package main

import (
	"context"
	"net"

	"duban/config"
)

// ledger holds the run ledger against the schedule: what was due beyond the grace and is not settled fails, what is late
// only is worth a look.
func (d *doctor) ledger(ctx context.Context) []finding {
	t, err := d.timetable(d.store)
	if err != nil {
		return []finding{warn("see schedule", "not checked: %v", err)}
	}
	var out []finding
	for _, j := range d.known {
		more, err := d.ledgerOf(ctx, t, j.Code)
		if err != nil {
			more = []finding{fail("", "%s: %v", j.Code, err)}
		}
		out = append(out, more...)
	}
	return out
}

func (d *doctor) ledgerOf(ctx context.Context, t timetable, code string) ([]finding, error) {
	gaps, ran, err := t.missing(ctx, code, d.app.clock())
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 { // where it cannot be read, the check of the archive says so
		if known, err := d.archiveGapOf(ctx, d.store, code, false); err == nil {
			reconcileFirst(gaps, known)
		}
	}
	var out []finding
	for _, g := range gaps {
		if g.Within {
			out = append(out, warn(g.Do+", or let duban serve do it", "%s: late: %s", code, g.words()))
			continue
		}
		out = append(out, fail(g.Do, "%s: %s", code, g.words()))
	}
	switch {
	case len(out) > 0:
		return out, nil
	case !ran:
		return []finding{warn("duban serve, or duban run all --jurisdiction "+code, "%s: nothing ever ran", code)}, nil
	}
	return []finding{good("%s: every slot that was due is settled", code)}, nil
}

// versions looks whether planning would be refused because files differ from what was loaded.
func (d *doctor) versions(ctx context.Context) []finding {
	var out []finding
	for _, j := range d.known {
		words, err := d.versionsDiffer(ctx, d.store, j.Code)
		switch {
		case err != nil:
			out = append(out, fail("", "%s: %v", j.Code, err))
		case words != "":
			out = append(out, fail("duban config load --jurisdiction "+j.Code+" --by NAME --why TEXT, or put back the files", "%s: nothing is planned: %s", j.Code, words))
		default:
			out = append(out, good("%s: policy, calendar and templates are those loaded last", j.Code))
		}
	}
	return out
}

// operations looks whether anybody would hear of it that the program has stopped.
func (d *doctor) operations() []finding {
	var out []finding
	switch o, spec := d.cfg.Ops, d.cfg.Schedule.Health; {
	case len(o.MailTo) == 0:
		out = append(out, warn("set ops.mail_to", "nobody gets the daily operations letter, whose absence is the alarm"))
	case spec == "":
		out = append(out, warn("set schedule.health", "schedule.health is empty: the clock never writes the operations letter"))
	default:
		out = append(out, good("the operations letter goes to %d addresses", len(o.MailTo)))
	}
	switch at := d.cfg.Ops.Listen; {
	case at == config.Off:
		out = append(out, warn("take ops.listen out", "ops.listen is off: no monitoring can ask the worker how it is"))
	case at != "" && !loopback(at):
		out = append(out, warn("name 127.0.0.1, and let a proxy with a login stand before it", "ops.listen %s can be reached from other machines, without a login", at))
	}
	return out
}

// loopback reports whether an address can be reached from this machine alone.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
