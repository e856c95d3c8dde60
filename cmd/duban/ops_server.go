package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"duban/config"
	"duban/jobs"
	"duban/notify"
	"duban/store"
)

// pages are what a worker shows to monitoring: /healthz, /readyz and /metrics.
type pages struct {
	metrics  *metrics
	standing *standing
	begun    time.Time
	// beat is how long the worker may go without looking for work.
	beat time.Duration

	mu    sync.Mutex
	asked time.Time // when ready was
	last  []readiness
}

// longestSilence is how long the worker may go without looking for work where its heartbeat is quick: a day's planning is done in
// between.
const longestSilence = 5 * time.Minute

// handler answers GET, and HEAD, alone.
func (p *pages) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", p.healthz)
	mux.HandleFunc("/readyz", p.readyz)
	mux.Handle("/metrics", p.metrics.handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET is answered", http.StatusMethodNotAllowed)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// healthz says whether the worker's loop goes round.
func (p *pages) healthz(w http.ResponseWriter, _ *http.Request) {
	last := p.metrics.lastTick()
	since := time.Since(last)
	if last.IsZero() {
		since = time.Since(p.begun)
	}
	if since > p.beat {
		answer(w, http.StatusServiceUnavailable, fmt.Sprintf("FAIL loop: no look for work since %s", since.Round(time.Second)))
		return
	}
	answer(w, http.StatusOK, "ok")
}

// readyz says whether the worker can do its work, a line for each question.
func (p *pages) readyz(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked.IsZero() || time.Since(p.asked) > standingFor {
		ctx, cancel := context.WithTimeout(r.Context(), standingMay)
		defer cancel()
		p.last = p.standing.ready(ctx)
		if r.Context().Err() == nil { // else nobody waits for the answer, and it says nothing
			p.asked = time.Now()
		}
	}
	status := http.StatusOK
	lines := make([]string, 0, len(p.last))
	for _, q := range p.last {
		line := "ok   " + q.name
		if q.err != nil {
			line, status = fmt.Sprintf("FAIL %s: %s", q.name, notify.MaskAll(oneLine(q.err.Error()))), http.StatusServiceUnavailable
		}
		lines = append(lines, line)
	}
	answer(w, status, strings.Join(lines, "\n"))
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // whoever asked is gone
}

// listen opens the address of the worker's pages; nil: there are none. An address that somebody chose and that cannot be had
// stops the worker: its monitoring would ask another program. The default one may be had by another worker of this machine;
// then this one goes on without, and says so.
func (a *app) listen(ctx context.Context) (net.Listener, error) {
	at := a.cfg.Ops.Listen
	if at == config.Off {
		return nil, nil
	}
	chosen := at != ""
	if !chosen {
		at = config.DefaultListen
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at)
	switch {
	case err == nil:
		return l, nil
	case chosen:
		return nil, fmt.Errorf("listen on ops.listen %s: %w; give this worker another address, or ops.listen: off", at, err)
	}
	a.log.Error().Err(err).Str("address", at).Msg("NO HEALTH AND METRICS PAGES: the default address is taken; letters go on; set ops.listen to another one, or to off")
	return nil, nil
}

// Bounds of a request and its answer.
const (
	readMay  = 5 * time.Second
	writeMay = 30 * time.Second
	idleMay  = 60 * time.Second
	closeMay = 2 * time.Second
	headMay  = 16 << 10 // bytes
)

// show serves the pages until stop is called.
func (a *app) show(l net.Listener, p *pages) (stop func() error) {
	server := &http.Server{
		Handler: p.handler(), ReadHeaderTimeout: readMay, ReadTimeout: readMay, WriteTimeout: writeMay, IdleTimeout: idleMay, MaxHeaderBytes: headMay,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error().Err(err).Msg("the health and metrics pages have ended")
		}
	}()
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeMay)
		defer cancel()
		err := server.Shutdown(ctx)
		if err != nil {
			err = server.Close()
		}
		<-ended
		return err
	}
}

// watch begins to count what this worker does, and shows it where there is an address for that.
func (a *app) watch(ctx context.Context, s *store.Store, heartbeat cron.Schedule) error {
	standing := newStanding(a, s)
	a.meter = newMetrics()
	if err := a.meter.registry.Register(standing); err != nil {
		return fmt.Errorf("set up the metrics: %w", err)
	}
	l, err := a.listen(ctx)
	if err != nil || l == nil {
		return err
	}
	p := &pages{metrics: a.meter, standing: standing, begun: time.Now(), beat: longestSilence}
	next := heartbeat.Next(p.begun)
	p.beat = max(p.beat, 3*heartbeat.Next(next).Sub(next))
	a.closeLater("health and metrics pages", a.show(l, p))
	a.log.Info().Str("address", l.Addr().String()).Msg("health and metrics pages")
	return nil
}

// serveAll lets workers work until ctx ends, side by side.
func serveAll(ctx context.Context, workers ...*jobs.Worker) error {
	errs := make([]error, len(workers))
	var all sync.WaitGroup
	for i, w := range workers {
		all.Go(func() { errs[i] = w.Serve(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}
