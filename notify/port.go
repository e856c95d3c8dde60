// Package notify delivers letters. A Dispatcher claims them in pieces over several lanes, asks the door whether they may
// leave, has them composed, archived and marked, hands each recipient's copy to a transport, and has one writer record
// what became of them. Brakes keep letters back while a server fails. Transports live in packages of their own.
package notify

import (
	"context"
	"crypto/sha256"
	"time"

	"duban/notify/archive"
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
	// where Done or ctx ends it. What was not dealt with was not begun.
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
	// It reports whether the next mail is to be sent at all.
	Done func(i int, r notice.Receipt) (more bool)
}

// Single is a simple transport: one mail at a time, and its receipt.
type Single interface {
	Name() string
	// Send returns a receipt with its outcome and the reply. beforeDot is as in Each.
	Send(ctx context.Context, msg compose.Message, beforeDot func() error) notice.Receipt
	Close() error
}

// Store is what the dispatcher asks of the database. Each method is one transaction. All times are the database's.
type Store interface {
	Outbox
	Recovery
	Gates
}

// Outbox is the way of a letter through a worker's hands.
type Outbox interface {
	// Now is the database's clock, which all leases are counted by.
	Now(ctx context.Context) (time.Time, error)
	// Outstanding reports whether a letter under the filter may leave, now or at a time that is set, or is in a worker's hand.
	Outstanding(ctx context.Context, f notice.ClaimFilter) (bool, error)
	// ClaimNotices takes up to limit letters that are due under the filter, under one token and lease. A letter's first
	// claim sets its deadline to giveUp from now.
	ClaimNotices(ctx context.Context, f notice.ClaimFilter, limit int, lease, giveUp time.Duration) ([]notice.Notice, error)
	// Commit writes marks and settlements. It returns the IDs of those whose claim went to another worker or, for a mark,
	// whose lease has passed; they do not hinder the others. The same call again changes nothing.
	Commit(ctx context.Context, marks []notice.Mark, settlements []notice.Settlement) (lost map[string]bool, err error)
}

// Recovery takes back letters of workers that are gone.
type Recovery interface {
	// Claims returns the tokens under which letters are in sending. EndLeases lets the leases of such claims pass at once.
	Claims(ctx context.Context, f notice.ClaimFilter) ([]string, error)
	EndLeases(ctx context.Context, f notice.ClaimFilter, tokens []string) (int, error)
	// ExpiredNotices returns letters in sending whose lease has passed, without their facts.
	ExpiredNotices(ctx context.Context, f notice.ClaimFilter, limit int) ([]notice.Notice, error)
	// Attempts returns every receipt of a letter.
	Attempts(ctx context.Context, id string) ([]notice.Receipt, error)
	// SendingLeases counts the letters under a lease and tells when the nearest passes.
	SendingLeases(ctx context.Context, f notice.ClaimFilter) (n int, first time.Time, err error)
	// TakeBack moves a letter whose lease has passed, as ExpiredNotices returned it; task.ErrLost where it is not so any more.
	TakeBack(ctx context.Context, n notice.Notice, reason, by string, causes ...notice.Cause) error
	// Move moves a letter that nobody holds; task.ErrLost where it is not as given.
	Move(ctx context.Context, id string, from notice.State, reason, by string, causes ...notice.Cause) error
}

// Gates keep letters back.
type Gates interface {
	// HoldNotices keeps all letters under the filter that may leave until the given time.
	HoldNotices(ctx context.Context, f notice.ClaimFilter, until time.Time, reason string) (int, error)
	// ReleaseHeld lets those go that were held until a time, even where that has not come.
	ReleaseHeld(ctx context.Context, f notice.ClaimFilter, reason string) (int, error)
	Brakes(ctx context.Context) ([]notice.Brake, error)
	SaveBrake(ctx context.Context, b notice.Brake) error
	DropBrake(ctx context.Context, scope string) error
}

// Door looks at letters whose turn has come.
type Door interface {
	// Window returns when letters of the jurisdiction may leave next; the zero time: now.
	Window(jurisdiction string) time.Time
	// Closed returns, by ID, why a letter has nothing left to say; letters that have are not in it.
	Closed(ctx context.Context, letters []notice.Notice) (map[string]string, error)
}

// Archive keeps the exact bytes of what leaves.
type Archive interface {
	// Put keeps a mail before it leaves; sum is the SHA-256 of its bytes. Without it, the mail does not leave.
	Put(mail compose.Message, sum [sha256.Size]byte) error
	// Accepted notes what a server took responsibility for.
	Accepted(list ...archive.Acceptance) error
}
