package store

import (
	"context"

	"duban/jobs/civil"
	"duban/jobs/run"
)

// versionHead is a version without its body.
type versionHead struct {
	Jurisdiction string `db:"jurisdiction"`
	Kind         string `db:"kind"`
	Seq          int64  `db:"seq"`
	On           day    `db:"on_date"`
	At           stamp  `db:"at"`
	Hash         string `db:"hash"`
	By           string `db:"loaded_by"`
	Why          string `db:"why"`
}

func (versionHead) table() string { return "versions" }

func (r versionHead) noun() run.Version {
	return run.Version{
		Jurisdiction: r.Jurisdiction, Kind: r.Kind, Seq: r.Seq, On: civil.Date(r.On), At: r.At.Time, Hash: r.Hash, By: r.By, Why: r.Why,
	}
}

// NewestVersions returns the version of each kind that was loaded last for the jurisdiction, by kind and without their
// bodies: it is read before every planning.
func (s *Store) NewestVersions(ctx context.Context, jurisdiction string) (out []run.Version, err error) {
	err = s.read(ctx, "read the newest versions of "+jurisdiction, func(t *tx) error {
		rows, err := query[versionHead](ctx, t, "WHERE jurisdiction = ? ORDER BY kind, seq", jurisdiction)
		out = out[:0]
		for _, v := range nouns(rows) {
			if n := len(out); n > 0 && out[n-1].Kind == v.Kind {
				out = out[:n-1]
			}
			out = append(out, v)
		}
		return err
	})
	return out, err
}
