package store

import (
	"context"
	"errors"
	"os"
)

// create makes a new, empty file for its owner alone.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// cut takes a copy back to an earlier moment.
func (s *Store) cut(_ context.Context, c Cut) error {
	if c.On != 0 || len(c.Seq) > 0 {
		return errors.New("an earlier moment cannot be shown yet")
	}
	return nil
}
