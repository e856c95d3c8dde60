package store

import (
	"context"
	"slices"
	"strings"
	"sync"

	"duban/jobs/task"
)

// memory keeps what was read of jurisdictions, so that the jobs of a day and the days of a year do not read the same rows again.
// It cannot be stale: whatever changes an obligation, what happened to it, what was said of it, or a source, moves the
// jurisdiction's seq in the same transaction. What was read at one seq is given out where the database is at that seq, and
// after a write of this process but for what the write changed; where another process wrote, all of it is forgotten.
//
// What is given out is shared: a list may be appended to and cut, and nothing in it may be changed.
type memory struct {
	mu    sync.Mutex
	of    map[string]*remembered
	most  int // records that are kept
	count int // records
	turn  int // counts what was asked
	swept int // when it was last looked what nobody asks for
}

// remembered is what is known of a jurisdiction at a seq.
type remembered struct {
	seq     int64
	turn    int // when it was asked for last
	records map[string]*keptRecord
	sources map[string]any // by what they are
}

// keptRecord is a record with when it was asked for last.
type keptRecord struct {
	task.Record
	turn int
}

// maxRemembered bounds the records kept, of which one takes about two kilobytes.
const maxRemembered = 12000

// idleTurns is after how many questions about others a jurisdiction is forgotten: a day asks some fifty of each, and a range that
// is gone through one jurisdiction after the other does not come back to the first.
const idleTurns = 4000

// restTurns is after how many questions a record that nobody asked for makes room, where there is none: a digest asks for all that
// is open, so what is still open was asked for within some days of five jurisdictions.
const restTurns = 800

func newMemory() *memory { return &memory{of: map[string]*remembered{}, most: maxRemembered} }

// at returns what is known at the seq, forgetting what was known at another; the caller holds the lock.
func (m *memory) at(j string, seq int64) *remembered {
	r := m.of[j]
	if r == nil || r.seq != seq {
		m.drop(j)
		r = &remembered{seq: seq, records: map[string]*keptRecord{}, sources: map[string]any{}}
		m.of[j] = r
	}
	m.turn++
	r.turn = m.turn
	if m.turn%idleTurns == 0 {
		for other, o := range m.of {
			if o.turn+idleTurns < m.turn {
				m.drop(other)
			}
		}
	}
	return r
}

func (m *memory) drop(j string) {
	if r := m.of[j]; r != nil {
		m.count -= len(r.records)
		delete(m.of, j)
	}
}

// forget drops all that is known of a jurisdiction.
func (m *memory) forget(j string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(j)
}

// moved says that a write took the jurisdiction from one seq to another and changed no more than the obligations with these
// refs, and the sources where it says so.
func (m *memory) moved(j string, from, to int64, refs []string, sources bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of[j]
	if r == nil || r.seq != from {
		m.drop(j)
		return
	}
	r.seq = to
	for _, ref := range refs {
		if _, known := r.records[ref]; known {
			delete(r.records, ref)
			m.count--
		}
	}
	if sources {
		clear(r.sources)
	}
}

// known puts the records that are known at the seq in the places of their refs, and returns the refs of the others with their
// places, in their order.
func (m *memory) known(j string, seq int64, refs []string, out []task.Record) (others []string, places []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.at(j, seq)
	for i, ref := range refs {
		if kept, ok := r.records[ref]; ok {
			out[i], kept.turn = kept.Record, m.turn
		} else {
			others, places = append(others, ref), append(places, i)
		}
	}
	return others, places
}

// keep remembers records as they are at the seq. Where there is no room, what nobody asked for of late makes some; the rest is not
// remembered. To forget the others instead would be to forget all, time and again, where more is asked for every day than there
// is room for.
func (m *memory) keep(j string, seq int64, records []task.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of[j]
	if r == nil || r.seq != seq {
		return
	}
	if m.count+len(records) > m.most && m.turn >= m.swept+restTurns/4 {
		m.sweep()
	}
	for _, rec := range records {
		if m.count >= m.most {
			return
		}
		ref := rec.Obligation.Ref.String()
		if _, known := r.records[ref]; !known && rec.Obligation.Jurisdiction == j {
			rec.Events, rec.Steps, rec.Holds = slices.Clip(rec.Events), slices.Clip(rec.Steps), slices.Clip(rec.Holds)
			r.records[ref] = &keptRecord{rec, m.turn}
			m.count++
		}
	}
}

// sweep drops the records that were not asked for of late; the caller holds the lock.
func (m *memory) sweep() {
	m.swept = m.turn
	for _, of := range m.of {
		for ref, kept := range of.records {
			if kept.turn+restTurns < m.turn {
				delete(of.records, ref)
				m.count--
			}
		}
	}
}

// seqOf is the jurisdiction's seq in the transaction; ok is false where nothing is remembered, or there is no such jurisdiction.
func (t *tx) seqOf(ctx context.Context, j string) (seq int64, ok bool, err error) {
	if t.mem == nil {
		return 0, false, nil
	}
	if seq, ok = t.seqs[j]; ok {
		return seq, ok, nil
	}
	err = t.each(ctx, "SELECT seq FROM jurisdictions WHERE code = ?", []any{j}, []any{&seq}, func() { ok = true })
	if ok && err == nil {
		if t.seqs == nil {
			t.seqs = map[string]int64{}
		}
		t.seqs[j] = seq
	}
	return seq, ok, err
}

// records loads obligations as recordsOf does, and asks the database for those alone that are not remembered.
func records(ctx context.Context, t *tx, refs []string) ([]task.Record, error) {
	if len(refs) == 0 {
		return []task.Record{}, nil
	}
	j, _, _ := strings.Cut(refs[0], "/")
	seq, ok, err := t.seqOf(ctx, j)
	if err != nil {
		return nil, err
	}
	if !ok {
		return recordsOf(ctx, t, refs)
	}
	out := make([]task.Record, len(refs))
	others, places := t.mem.known(j, seq, refs, out)
	if len(others) == 0 {
		return out, nil
	}
	read, err := recordsOf(ctx, t, others)
	if err != nil {
		return nil, err
	}
	t.mem.keep(j, seq, read)
	for k, i := range places {
		out[i] = read[k]
	}
	return out, nil
}

// remember gives out a list of sources, read anew where it is not remembered.
func remember[T any](ctx context.Context, t *tx, j, what string, read func() ([]T, error)) ([]T, error) {
	seq, ok, err := t.seqOf(ctx, j)
	if err != nil {
		return nil, err
	}
	if !ok {
		return read()
	}
	t.mem.mu.Lock()
	list, known := t.mem.at(j, seq).sources[what].([]T)
	t.mem.mu.Unlock()
	if known {
		return slices.Clone(list), nil
	}
	if list, err = read(); err != nil {
		return nil, err
	}
	t.mem.mu.Lock()
	defer t.mem.mu.Unlock()
	if r := t.mem.of[j]; r != nil && r.seq == seq {
		r.sources[what] = list
	}
	return slices.Clone(list), nil
}
