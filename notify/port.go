// Package notify delivers letters. The Dispatcher claims one letter after the other, has it composed, hands each
// recipient's copy to a transport and records what became of it. Transports live in packages of their own.
package notify

import (
	"context"
	"time"

	"duban/notify/compose"
	"duban/notify/notice"
)

// Transport hands over mails on several lanes at once.
type Transport interface {
	// Name is what the log calls it.
	Name() string
	// Lanes is how many lanes may be open at the same time, one at least.
	Lanes() int
	// Lane returns a lane, which connects when its first mail comes. A lane serves one caller at a time.
	Lane() Lane
	// Close ends what is open.
	Close() error
}

// Lane is one connection's worth of a transport. It classifies what became of each mail and never tries again by itself.
type Lane interface {
	// Send hands over the mails in their order, each in one envelope, and returns how many of them it has dealt with:
	// for exactly these Done was called. It stops early where the connection cannot be made or is lost (the mail at hand
	// is dealt with then: its receipt says so), where BeforeDot refuses (the mail at hand is not dealt with then), and
	// where ctx ends. What was not dealt with was not begun.
	Send(ctx context.Context, mails []compose.Message, each Each) int
	// Close ends the connection politely; a failure at that is of no consequence. The lane may be used again.
	Close() error
}

// Each is what a lane tells of every mail. Both are called on the goroutine of Send.
type Each struct {
	// BeforeDot is called once the other side has agreed to take the mail and before anything is written that makes it
	// responsible for it; mail is what is going to be written: without its attachment where that was too large. After an
	// error from it the mail must not be finished. A mail the other side is known to have already may be accepted
	// without the call.
	BeforeDot func(i int, mail compose.Message) error
	// Done is called with the outcome, phase, code, enhanced code, reply, bytes and duration; the caller fills in the rest.
	Done func(i int, r notice.Receipt)
}

// Single is a simple transport: one mail at a time, and its receipt.
type Single interface {
	Name() string
	// Send returns a receipt with its outcome and the reply. beforeDot is as in Each.
	Send(ctx context.Context, msg compose.Message, beforeDot func() error) notice.Receipt
	Close() error
}

// Store is what the dispatcher asks of the database. Each method is one transaction. A fence that fails, because the
// claim went to another worker or its lease has passed, is task.ErrLost.
type Store interface {
	// Now is the database's clock, which all leases are counted by.
	Now(ctx context.Context) (time.Time, error)
	// ClaimNotice takes the first letter that is due under the filter; false: there is none.
	ClaimNotice(ctx context.Context, f notice.ClaimFilter, lease time.Duration) (notice.Notice, bool, error)
	// MarkData records that a final dot may have been sent. It refuses once the lease has passed.
	MarkData(ctx context.Context, id, token string) error
	// SettleNotice ends a claim: the state by notice.Next, the tries, next try and reason of n, and the receipts.
	SettleNotice(ctx context.Context, n notice.Notice, cause notice.Cause, receipts []notice.Receipt) error
	// MoveNotice moves a letter that nobody holds, or whose lease has passed.
	MoveNotice(ctx context.Context, id string, from notice.State, cause notice.Cause, reason, by string) error
	// Expired returns the letters in sending whose lease has passed.
	Expired(ctx context.Context) ([]notice.Notice, error)
	// Sending returns the jurisdiction's letters in sending; "": any jurisdiction's.
	Sending(ctx context.Context, jurisdiction string) ([]notice.Notice, error)
}
