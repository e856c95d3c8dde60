// Package notify delivers letters. The Dispatcher claims one letter after the other, has it composed, hands each
// recipient's copy to a transport and records what became of it. Transports live in packages of their own.
package notify

import (
	"context"
	"time"

	"duban/notify/compose"
	"duban/notify/notice"
)

// Transport hands over one mail in one envelope. It classifies what became of it and never tries again by itself.
type Transport interface {
	// Name is what the log calls it.
	Name() string
	// Send returns a receipt with its outcome and the server's reply; the caller fills in the rest. It calls beforeDot
	// once all is written and before the step that makes the other side responsible for the mail; an error from it means
	// that the step must not be taken. A mail the other side is known to have already may be accepted without the call.
	Send(ctx context.Context, msg compose.Message, beforeDot func() error) notice.Receipt
	// Close ends what is open. The transport may be used again afterwards.
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
