package store

import (
	"context"

	"duban/notify/notice"
)

// maxWorker is how long a worker's name may be: it stands before the dot of every token of its claims.
const maxWorker = 46

// As returns the store as the named worker uses it: the tokens of its claims begin with the name and a dot, so that who
// holds a letter or a slot can be told while he does. The name is ASCII without a dot; a longer one than 46 characters, or
// an empty one, leaves the claims without a name. A slot whose holder is gone, as gone says of its token, may be taken
// before its lease passes; nil: nobody knows.
func (s *Store) As(worker string, gone func(token string) bool) *Store {
	if len(worker) > maxWorker {
		worker = ""
	}
	as := *s
	as.worker, as.gone = worker, gone
	return &as
}

// claimToken is a fresh token of this worker.
func (s *Store) claimToken() string {
	if s.worker == "" {
		return token()
	}
	return s.worker + "." + token()[:16]
}

// Claims returns the tokens under which letters of the filter are in sending, each once.
func (s *Store) Claims(ctx context.Context, f notice.ClaimFilter) (tokens []string, err error) {
	err = s.read(ctx, "read who holds letters", func(t *tx) error {
		tokens = nil
		w := sendingWhere(f)
		return t.SelectContext(ctx, &tokens, "SELECT DISTINCT token FROM notices "+t.d.by("notices_state")+" "+w.String()+" ORDER BY token", w.args...)
	})
	return tokens, err
}

// EndLeases lets the leases of these claims pass at once, since their worker is known to be gone. It returns how many
// letters that were.
func (s *Store) EndLeases(ctx context.Context, f notice.ClaimFilter, tokens []string) (n int, err error) {
	if len(tokens) == 0 {
		return 0, nil
	}
	err = s.write(ctx, "end the leases of workers that are gone", func(t *tx) error {
		n = 0
		now, err := t.now(ctx)
		if err != nil {
			return err
		}
		w := sendingWhere(f)
		w.and("lease > ?", at(now))
		w.and("token IN ("+marks(len(tokens))+")", anys(tokens)...)
		ended, err := t.exec(ctx, "UPDATE notices "+t.d.by("notices_state")+" SET lease = ? "+w.String(), append([]any{at(now)}, w.args...)...)
		n = int(ended)
		return err
	})
	return n, err
}
