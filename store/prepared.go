package store

import (
	"context"
	"database/sql"
	"math/bits"
	"slices"
	"sync"

	"github.com/jmoiron/sqlx"
)

// prepared keeps statements compiled, on an engine where compiling is a good part of the work. Where the server compiles,
// that would be one more question and answer.
//
// A statement is compiled when it has been asked for a few times, and between transactions: within one, the database
// may have no other connection to give. Long ones, of many rows, are not: they take much memory, and hardly come again.
type prepared struct {
	mu    sync.Mutex
	uses  map[string]int
	stmts map[string]*sqlx.Stmt
}

const (
	maxPrepared = 256 // statements kept; lists of many lengths make many texts
	maxText     = 4096
	maxCounted  = 4096
	oftenUsed   = 2
)

func newPrepared() *prepared {
	return &prepared{uses: map[string]int{}, stmts: map[string]*sqlx.Stmt{}}
}

// get returns the compiled statement, if there is one, and whether it is time to compile it.
func (p *prepared) get(q string) (stmt *sqlx.Stmt, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt := p.stmts[q]; stmt != nil {
		return stmt, false
	}
	if len(q) > maxText {
		return nil, false
	}
	if len(p.uses) >= maxCounted {
		clear(p.uses)
	}
	p.uses[q]++
	return nil, p.uses[q] == oftenUsed
}

// add compiles statements. One that cannot be compiled now goes on being compiled with every use. Where there are too many,
// it begins anew with those that are asked for now.
func (p *prepared) add(ctx context.Context, db *sqlx.DB, queries []string) {
	for _, q := range queries {
		stmt, err := db.PreparexContext(ctx, q) //nolint:sqlclosecheck // kept for the next use; closing the database ends it
		if err != nil {
			return
		}
		p.mu.Lock()
		if len(p.stmts) >= maxPrepared {
			for _, old := range p.stmts {
				_ = old.Close() // a transaction that has it in hand goes on with it
			}
			clear(p.stmts)
		}
		p.stmts[q] = stmt
		delete(p.uses, q)
		p.mu.Unlock()
	}
}

// statement is a compiled statement within a transaction, which ends it.
type statement interface {
	SelectContext(ctx context.Context, dest any, args ...any) error
	GetContext(ctx context.Context, dest any, args ...any) error
	ExecContext(ctx context.Context, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
}

// compiled returns the transaction's own handle of a compiled statement; nil: there is none.
func (t *tx) compiled(ctx context.Context, q string) statement {
	if t.hot == nil {
		return nil
	}
	stmt, due := t.hot.get(q)
	if due {
		t.compile = append(t.compile, q)
	}
	if stmt == nil {
		return nil
	}
	return t.StmtxContext(ctx, stmt)
}

// SelectContext is sqlx's, by a compiled statement where there is one.
func (t *tx) SelectContext(ctx context.Context, dest any, q string, args ...any) error {
	if stmt := t.compiled(ctx, q); stmt != nil {
		return stmt.SelectContext(ctx, dest, args...)
	}
	return t.Tx.SelectContext(ctx, dest, q, args...)
}

// GetContext is sqlx's, by a compiled statement where there is one.
func (t *tx) GetContext(ctx context.Context, dest any, q string, args ...any) error {
	if stmt := t.compiled(ctx, q); stmt != nil {
		return stmt.GetContext(ctx, dest, args...)
	}
	return t.Tx.GetContext(ctx, dest, q, args...)
}

// ExecContext is sqlx's, by a compiled statement where there is one.
func (t *tx) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	if stmt := t.compiled(ctx, q); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, q, args...)
}

// QueryContext is sqlx's, by a compiled statement where there is one.
func (t *tx) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	if stmt := t.compiled(ctx, q); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, q, args...)
}

// filled repeats the last of a list until it has one of the lengths that statements are kept compiled for: 1, 2, 3, 4, 6,
// 8, 12, 16, 24 and so on. For the set of them it is all the same. Where nothing is kept the list is as it was.
func filled[T any](t *tx, list []T) []T {
	n := len(list)
	if t.hot == nil || n == 0 {
		return list
	}
	want := 1
	for want < n {
		if want*3/2 >= n && want > 1 {
			want = want * 3 / 2
			break
		}
		want *= 2
	}
	return append(slices.Clip(list), slices.Repeat(list[n-1:], want-n)...)
}

// insertable is how many of n rows are inserted at a time: where statements are kept compiled, a power of two.
func (t *tx) insertable(n int) int {
	const most = 64
	if t.hot == nil {
		return n
	}
	return min(1<<(bits.Len(uint(n))-1), most)
}
