package main

import "duban/jobs/civil"

// days reads --from and --to, either of which may be left out, and refuses a range that is upside down.
func (a *app) days(from, to string) (first, last civil.Date, err error) {
	if first, err = a.date("from", from, 0); err != nil {
		return 0, 0, err
	}
	if last, err = a.date("to", to, 0); err != nil {
		return 0, 0, err
	}
	if first != 0 && last != 0 && last < first {
		return 0, 0, usagef("--from %s lies after --to %s", first, last)
	}
	return first, last, nil
}
