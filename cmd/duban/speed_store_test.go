package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"duban/notify/notice"
	"duban/store"
)

type timedStore struct {
	*store.Store
	mu                   sync.Mutex
	commits, marks, sets int
	took, claimTook      time.Duration
	claims, claimed      int
}

func (s *timedStore) Commit(ctx context.Context, m []notice.Mark, e []notice.Settlement) (map[string]bool, error) {
	b := time.Now()
	l, err := s.Store.Commit(ctx, m, e)
	s.mu.Lock()
	s.commits++
	s.marks += len(m)
	s.sets += len(e)
	s.took += time.Since(b)
	s.mu.Unlock()
	return l, err
}

func (s *timedStore) ClaimNotices(ctx context.Context, f notice.ClaimFilter, limit int, lease, giveUp time.Duration) ([]notice.Notice, error) {
	b := time.Now()
	l, err := s.Store.ClaimNotices(ctx, f, limit, lease, giveUp)
	s.mu.Lock()
	s.claims++
	s.claimed += len(l)
	s.claimTook += time.Since(b)
	s.mu.Unlock()
	return l, err
}

func (s *timedStore) String() string {
	return fmt.Sprintf("%d commits of %.1f marks %.1f settlements, %v each; %d claims of %.1f, %v each", s.commits, float64(s.marks)/float64(s.commits), float64(s.sets)/float64(s.commits), s.took/time.Duration(s.commits), s.claims, float64(s.claimed)/float64(s.claims), s.claimTook/time.Duration(s.claims))
}
