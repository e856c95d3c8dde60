package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"duban/notify/notice"
)

type brakeRow struct {
	Scope    string `db:"scope"`
	Failures int    `db:"failures"`
	Since    stamp  `db:"since"`
	Until    stamp  `db:"closed_until"`
	Reason   string `db:"reason"`
	By       string `db:"seen_by"`
}

func (brakeRow) table() string { return "brakes" }

func (r brakeRow) noun() notice.Brake {
	return notice.Brake{Scope: r.Scope, Failures: r.Failures, Since: r.Since.Time, Until: r.Until.Time, Reason: r.Reason, By: r.By}
}

// maxScope is the longest scope of a brake, in characters: a host, a login and a domain.
const maxScope = 600

// Brakes returns what keeps letters back at the moment, and what did and is not taken off yet, by scope.
func (s *Store) Brakes(ctx context.Context) (out []notice.Brake, err error) {
	err = s.read(ctx, "read brakes", func(t *tx) error {
		rows, err := query[brakeRow](ctx, t, "ORDER BY scope")
		out = nouns(rows)
		return err
	})
	return out, err
}

// SaveBrake puts a brake on, or changes the one with its scope.
func (s *Store) SaveBrake(ctx context.Context, b notice.Brake) error {
	op := "save brake " + b.Scope
	if err := checkKey("scope", b.Scope, maxScope); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	row := brakeRow{b.Scope, b.Failures, at(b.Since), at(b.Until), clean(b.Reason), clean(b.By)}
	return s.write(ctx, op, func(t *tx) error {
		return insertOr(ctx, t, []brakeRow{row}, overwrite[brakeRow](t.d))
	})
}

// overwrite is the tail that puts a whole row, whose key is its first column, in the place of the one that is there.
func overwrite[T row](d *dialect) string {
	cols := columns[T]()
	sets := make([]string, 0, len(cols))
	for _, c := range cols[1:] {
		sets = append(sets, c+" = "+d.incoming(c))
	}
	return d.upsert(cols[0]) + " " + strings.Join(sets, ", ")
}

// DropBrake takes a brake off. One that is not on is no error.
func (s *Store) DropBrake(ctx context.Context, scope string) error {
	return s.write(ctx, "drop brake "+scope, func(t *tx) error {
		_, err := t.exec(ctx, "DELETE FROM brakes WHERE scope = ?", scope)
		return err
	})
}

type troubleRow struct {
	Address string `db:"address"`
	Hard    bool   `db:"hard"`
	Soft    int    `db:"soft"`
	Since   stamp  `db:"since"`
	Last    stamp  `db:"last_at"`
	Reply   string `db:"reply"`
}

func (troubleRow) table() string { return "troubles" }

func (r troubleRow) noun() notice.Health {
	return notice.Health{Address: r.Address, Hard: r.Hard, Soft: r.Soft, Since: r.Since.Time, Last: r.Last.Time, Reply: r.Reply}
}

// maxAddress is the longest address, in characters (RFC 5321 4.5.3.1.3, without the angle brackets).
const maxAddress = 254

// addressKey is the form an address is kept in. One that is too long to be any is cut: it is listed all the same.
func addressKey(email string) string {
	return strings.TrimSpace(clip(strings.ToLower(strings.TrimSpace(clean(email))), maxAddress))
}

// trouble keeps what receipts, in their order, say of their addresses.
func (t *tx) trouble(ctx context.Context, receipts []notice.Receipt) error {
	over := map[string]bool{}
	bad := map[string]troubleRow{}
	for _, r := range receipts {
		key := addressKey(r.Email)
		kind := r.Trouble()
		if key == "" || kind == notice.NoTrouble {
			continue
		}
		if kind == notice.TroubleOver {
			over[key] = true
			delete(bad, key)
			continue
		}
		when := at(r.At)
		if when.IsZero() {
			now, err := t.now(ctx)
			if err != nil {
				return err
			}
			when = at(now)
		}
		row, known := bad[key]
		if !known {
			row = troubleRow{Address: key, Since: when}
		}
		row.Last, row.Reply = when, clean(r.String())
		if kind == notice.TroubleHard {
			row.Hard = true
		} else {
			row.Soft++
		}
		bad[key] = row
	}
	if len(over) > 0 { // as a rule nothing is known against anybody
		var known []int
		if err := t.SelectContext(ctx, &known, "SELECT 1 FROM troubles LIMIT 1"); err != nil {
			return err
		}
		if len(known) == 0 {
			clear(over)
		}
	}
	for piece := range slices.Chunk(slices.Sorted(maps.Keys(over)), maxIn) {
		piece = filled(t, piece)
		if _, err := t.exec(ctx, "DELETE FROM troubles WHERE address IN ("+marks(len(piece))+")", anys(piece)...); err != nil {
			return err
		}
	}
	in := t.d.incoming
	tail := t.d.upsert("address") + " hard = (troubles.hard OR " + in("hard") + "), soft = troubles.soft + " + in("soft") +
		", last_at = " + in("last_at") + ", reply = " + in("reply")
	return insertOr(ctx, t, sorted(bad), tail)
}

// Troubles returns what is known against these addresses, however they are written, or against all where the list is nil;
// by address.
func (s *Store) Troubles(ctx context.Context, addresses []string) (out []notice.Health, err error) {
	err = s.read(ctx, "read addresses with trouble", func(t *tx) error {
		var rows []troubleRow
		var err error
		if addresses == nil {
			rows, err = query[troubleRow](ctx, t, "ORDER BY address")
		} else {
			keys := make([]string, len(addresses))
			for i, a := range addresses {
				keys[i] = addressKey(a)
			}
			slices.Sort(keys)
			rows, err = queryIn[troubleRow](ctx, t, "WHERE address IN (%s)", nil, slices.Compact(keys))
		}
		slices.SortFunc(rows, func(a, b troubleRow) int { return cmp.Compare(a.Address, b.Address) })
		out = nouns(rows)
		return err
	})
	return out, err
}
