package dkim

import (
	"crypto"
	"errors"
	"io"
)

var errBroken = errors.New("the key store is gone")

// broken is a key that cannot be reached.
type broken struct{}

func (broken) Public() crypto.PublicKey { return nil }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }
