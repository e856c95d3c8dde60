package notify

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"duban/notify/notice"
)

// Patience says how long failures keep letters back. Zero values mean the defaults.
type Patience struct {
	// RetryFirst is the wait after a letter's first failure for the time being (1 minute); it doubles up to RetryMost (1
	// hour). GiveUp is how long after its first claim a letter is tried (24 hours).
	RetryFirst, RetryMost, GiveUp time.Duration
	// BrakeAfter is how many failures in a row pull a brake (3). It holds for BrakeFirst (1 minute), and twice as long
	// each time the letter let through afterwards fails too, up to BrakeMost (30 minutes).
	BrakeAfter            int
	BrakeFirst, BrakeMost time.Duration
}

func (p Patience) orDefaults() Patience {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&p.RetryFirst, time.Minute)
	set(&p.RetryMost, time.Hour)
	set(&p.GiveUp, 24*time.Hour)
	set(&p.BrakeFirst, time.Minute)
	set(&p.BrakeMost, 30*time.Minute)
	if p.BrakeAfter <= 0 {
		p.BrakeAfter = 3
	}
	return p
}

// doubled returns first, doubled n times, most at the most.
func doubled(first, most time.Duration, n int) time.Duration {
	for range n {
		if first *= 2; first >= most {
			return most
		}
	}
	return min(first, most)
}

// Backoff is how long a letter waits after its n-th failure for the time being (from 1). Letters that failed together
// part again: a tenth more or less, by the letter's ID.
func (p Patience) Backoff(id string, n int) time.Duration {
	p = p.orDefaults()
	wait := doubled(p.RetryFirst, p.RetryMost, max(n, 1)-1)
	sum := 0
	for _, c := range []byte(id) {
		sum = (sum*31 + int(c) + n) % 2001
	}
	return wait + wait*time.Duration(sum-1000)/10000
}

// Brakes watch the outcomes of one account's mails. All dispatchers of the account share them. A brake of the account is pulled when the server fails several
// times in a row, or refuses several recipients in a row with the same 5xx: that is not about the recipients (a spent
// quota answers 550 on many relays). One of a domain is pulled by temporary refusals of recipients there. After its time
// one letter is let through; what becomes of it decides.
type Brakes struct {
	account string
	by      string
	Patience

	mu   sync.Mutex
	kept map[string]notice.Brake // by scope, as in the database
	runs map[string]row          // failures in a row by scope, below the number that pulls
	// suspects are refusals by the same 5xx in a row. They are final once something else follows, or nothing does.
	suspects []suspect
	reopen   []string  // letters that were settled as refused, and whose refusal was the server's doing after all
	accepted time.Time // the last acceptance
	told     time.Time // the one that was written down last
	changed  []change
}

// row is a run of failures.
type row struct {
	n     int
	since time.Time
}

// suspect is a letter that was refused with a 5xx that may not be about its reader.
type suspect struct {
	key    string
	notice string
	email  string // whom the letter is for
	settle func(final bool, until time.Time)
	final  bool // it was settled as refused
}

// change is a brake to save, or one to drop.
type change struct {
	notice.Brake
	drop bool
}

// NewBrakes returns the brakes of an account, which names the server and the login; by names the worker.
func NewBrakes(account, by string, p Patience) *Brakes {
	return &Brakes{account: account, by: by, Patience: p.orDefaults(), kept: map[string]notice.Brake{}, runs: map[string]row{}}
}

func (b *Brakes) scope() string { return "account:" + b.account }

func (b *Brakes) domainScope(email string) string {
	return "domain:" + b.account + ":" + strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
}

// load takes over what the database knows, from earlier runs and other workers. What this worker has still to write down
// stays.
func (b *Brakes) load(all []notice.Brake) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := map[string]notice.Brake{}
	for _, k := range all {
		if k.Scope != b.acceptedScope() {
			known[k.Scope] = k
		} else if k.Since.After(b.accepted) {
			b.accepted, b.told = k.Since, k.Since
		}
	}
	for _, c := range b.changed {
		if c.drop {
			delete(known, c.Scope)
		} else {
			known[c.Scope] = c.Brake
		}
	}
	b.kept = known
}

// acceptedScope is no brake: its row keeps when the account's server last took a letter, from one run to the next.
func (b *Brakes) acceptedScope() string { return "accepted:" + b.account }

// pulled returns the account's brake, if it holds now; probe says that its time is over and one letter may try.
func (b *Brakes) pulled(now time.Time) (brake notice.Brake, holds, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.kept[b.scope()]
	return k, ok && now.Before(k.Until), ok && !now.Before(k.Until)
}

// rests returns the brake that keeps mail to the address's domain back now.
func (b *Brakes) rests(email string, now time.Time) (notice.Brake, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.kept[b.domainScope(email)]
	return k, ok && now.Before(k.Until)
}

// take returns the changes since it was asked last, to be written to the database, and the letters to be reopened.
func (b *Brakes) take() (changes []change, reopen []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changes, reopen = b.changed, b.reopen
	b.changed, b.reopen = nil, nil
	return changes, reopen
}

// failed notes one more failure in the scope, and pulls its brake where it was one too many.
func (b *Brakes) failed(scope, reason string, now time.Time) {
	r := b.runs[scope]
	if r.n++; r.n == 1 {
		r.since = now
	}
	b.runs[scope] = r
	if _, again := b.kept[scope]; again || r.n >= b.BrakeAfter {
		b.pull(scope, reason, r.since, now)
	}
}

// pull pulls a brake, for twice as long where it was let go for a try that failed.
func (b *Brakes) pull(scope, reason string, since, now time.Time) time.Time {
	k, again := b.kept[scope]
	switch {
	case again && now.Before(k.Until):
		return k.Until // several lanes met the same failure
	case again:
		k.Failures++
	default:
		k = notice.Brake{Scope: scope, Failures: 1, Since: since}
	}
	k.Until, k.Reason, k.By = now.Add(doubled(b.BrakeFirst, b.BrakeMost, k.Failures-1)), cut(reason), b.by
	b.kept[scope] = k
	delete(b.runs, scope)
	b.changed = append(b.changed, change{Brake: k})
	return k.Until
}

func (b *Brakes) letGo(scope string) {
	delete(b.runs, scope)
	if k, ok := b.kept[scope]; ok {
		delete(b.kept, scope)
		b.changed = append(b.changed, change{Brake: k, drop: true})
	}
}

// note takes note of the receipt of a letter to the address. settle is called once it is known what the receipt means: at
// once, or for a 5xx that may not be about the reader from a later call. before is what an earlier attempt came to.
func (b *Brakes) note(n, email string, r, before notice.Receipt, now time.Time, settle func(final bool, until time.Time)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	domain := b.domainScope(r.Email)
	switch {
	case r.Outcome == notice.OutcomeAccepted:
		b.accepted = now
		b.letGo(b.scope())
		b.letGo(domain)
		b.acquit()
		b.suspects = nil
	case r.Outcome == notice.OutcomePermanent && r.Code == 0: // nobody said anything
	case r.Outcome == notice.OutcomePermanent:
		delete(b.runs, b.scope())
		b.refused(suspect{key: refusal(r), notice: n, email: strings.ToLower(email), settle: settle}, r, before, now)
		return
	case aboutReader(r):
		delete(b.runs, b.scope())
		b.acquit()
		b.suspects = nil
		b.failed(domain, fmt.Sprintf("temporary refusals of recipients at this domain, the last: %s", r), now)
	default:
		b.failed(b.scope(), fmt.Sprintf("%s: %s", r.Phase, r), now)
	}
	settle(true, time.Time{})
}

// aboutReader reports whether a temporary failure is about the reader's mailbox or its server: a 4xx to RCPT, or one whose
// enhanced code speaks of the address or the mailbox (RFC 3463).
func aboutReader(r notice.Receipt) bool {
	return r.Code/100 == 4 && r.Code != 421 &&
		(r.Phase == notice.PhaseRecipient || strings.HasPrefix(r.Enhanced, "4.1.") || strings.HasPrefix(r.Enhanced, "4.2."))
}

// refused takes note of a 5xx. The same again to a recipient, after the server took mail to others or where it says
// expressly that there is no such mailbox, is about him.
func (b *Brakes) refused(s suspect, r, before notice.Receipt, now time.Time) {
	expressly := r.Phase == notice.PhaseRecipient && strings.HasPrefix(r.Enhanced, "5.1.") // bad destination, RFC 3463
	if refusal(before) == s.key && !before.At.IsZero() && (expressly || before.At.Before(b.accepted)) {
		s.settle(true, time.Time{})
		return
	}
	k, held := b.kept[b.scope()]
	if held && strings.HasPrefix(k.Reason, sameRefusal(s.key)+" ") { // the one letter let through met the same
		s.settle(false, b.pull(b.scope(), k.Reason, k.Since, now))
		return
	}
	if len(b.suspects) > 0 && b.suspects[0].key != s.key {
		b.acquit()
		b.suspects = nil
	}
	b.suspects = slices.DeleteFunc(b.suspects, func(o suspect) bool { return o.final && o.email == s.email })
	b.suspects = append(b.suspects, s)
	different := map[string]bool{}
	for _, o := range b.suspects {
		different[o.email] = true
	}
	if len(different) < b.BrakeAfter {
		return
	}
	until := b.pull(b.scope(), fmt.Sprintf("%s for %d recipients in a row: the server's doing, not theirs; the last: %s", sameRefusal(s.key), len(different), r), now, now)
	for _, o := range b.suspects {
		if o.final {
			b.reopen = append(b.reopen, o.notice)
		} else {
			o.settle(false, until)
		}
	}
	b.suspects = nil
}

// sameRefusal begins the reason of a brake pulled by refusals.
func sameRefusal(key string) string { return "refused with the same " + key }

// refusal is what makes two refusals the same: the code and, where there is one, the enhanced code.
func refusal(r notice.Receipt) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.Code, r.Enhanced))
}

// acquit makes the refusals final that are under suspicion of not being about their readers.
func (b *Brakes) acquit() {
	for i := range b.suspects {
		if s := &b.suspects[i]; !s.final {
			s.final = true
			s.settle(true, time.Time{})
		}
	}
}

// finish makes what is still under suspicion final: the drain is over. That they were refused in a row is remembered:
// should the next, of another drain, meet the same, it was the server's doing all the same.
func (b *Brakes) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acquit()
	if b.accepted.After(b.told) {
		b.told = b.accepted
		b.changed = append(b.changed, change{Brake: notice.Brake{
			Scope: b.acceptedScope(), Since: b.accepted, Until: b.accepted, Reason: "the server took a letter", By: b.by,
		}})
	}
}

// stop pulls the account's brake for a reason that is not the server's, such as an archive that is full.
func (b *Brakes) stop(reason string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pull(b.scope(), reason, now, now)
}
