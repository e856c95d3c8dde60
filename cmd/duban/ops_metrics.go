package main

import (
	"context"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"duban/jobs"
	"duban/jobs/run"
	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
	"duban/store"
)

// metrics counts what this worker does. What the database holds is asked when it is scraped (standing). No metric holds
// personal data or a unit's name: jurisdictions go by their code.
//
// The nil metrics count nothing.
type metrics struct {
	registry *prometheus.Registry
	runs     *prometheus.CounterVec   // by job, jurisdiction and state
	lateness *prometheus.HistogramVec // by job
	took     *prometheus.HistogramVec // by job
	letters  *prometheus.CounterVec   // settled, by kind, state and outcome
	sends    *prometheus.HistogramVec // by outcome
	ticked   atomic.Int64             // when the loop last looked for work, in nanoseconds since 1970
}

// The buckets, in seconds: a slot is begun within a minute, or late by hours; a letter takes less than a phase's deadline.
func latenessBuckets() []float64 {
	return []float64{1, 10, 30, 60, 120, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600}
}

func sendBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	opts := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: help, Buckets: sendBuckets()}
	}
	m.runs = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "duban_runs_total", Help: "Slots this worker settled, failed or skipped.",
	}, []string{"job", "jurisdiction", "state"})
	late := opts("duban_slot_lateness_seconds", "How long after its time a slot was begun.")
	late.Buckets = latenessBuckets()
	m.lateness = prometheus.NewHistogramVec(late, []string{"job"})
	m.took = prometheus.NewHistogramVec(opts("duban_run_duration_seconds", "How long a job took."), []string{"job"})
	m.letters = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "duban_letters_settled_total", Help: "Letters this worker settled, by the state it left them in and the outcome of the reader's own copy.",
	}, []string{"kind", "state", "outcome"})
	m.sends = prometheus.NewHistogramVec(opts("duban_send_duration_seconds", "How long handing over one mail took."), []string{"outcome"})
	built := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "duban_build_info", Help: "Always 1; the labels say which program this is.",
		ConstLabels: prometheus.Labels{"version": versionName(), "template": compose.Version(), "go": runtime.Version()},
	}, func() float64 { return 1 })
	tick := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "duban_last_tick_timestamp_seconds", Help: "When the worker last looked for work; 0: not yet.",
	}, func() float64 { return float64(m.ticked.Load()) / float64(time.Second) })
	m.registry.MustRegister(m.runs, m.lateness, m.took, m.letters, m.sends, built, tick,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler serves what the registry holds. Where the database does not answer, the rest is served all the same.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 2, Timeout: 20 * time.Second})
}

// tick notes that the worker looks for work, or begins a piece of it.
func (m *metrics) tick() {
	if m != nil {
		m.ticked.Store(time.Now().UnixNano())
	}
}

// lastTick is when the worker last looked for work; the zero time: not yet.
func (m *metrics) lastTick() time.Time {
	if n := m.ticked.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// watch counts what the runner's jobs come to; s is the ledger it works with.
func (m *metrics) watch(r *jobs.Runner, s *store.Store) {
	if m == nil {
		return
	}
	watched := make([]jobs.Job, len(r.Jobs))
	for i, j := range r.Jobs {
		watched[i] = watchedJob{j, m}
	}
	r.Jobs, r.Slots = watched, watchedSlots{s, m}
}

// watchedJob is a job whose runs are counted.
type watchedJob struct {
	jobs.Job
	metrics *metrics
}

// Run implements jobs.Job.
func (j watchedJob) Run(ctx context.Context, r run.Run) (run.Run, error) {
	began := time.Now()
	j.metrics.tick() // what an outage left may take long to make up
	if late, ok := r.Late(); ok {
		j.metrics.lateness.WithLabelValues(r.Job).Observe(max(late, 0).Seconds())
	}
	state := run.Failed // where it panics too
	defer func() {
		j.metrics.took.WithLabelValues(r.Job).Observe(time.Since(began).Seconds())
		j.metrics.runs.WithLabelValues(r.Job, r.Jurisdiction, string(state)).Inc()
	}()
	out, err := j.Job.Run(ctx, r)
	if err == nil {
		state = out.State
	}
	return out, err
}

// watchedSlots is a ledger of which the slots are counted that it skips. Another worker may have skipped or run some of them.
type watchedSlots struct {
	*store.Store
	metrics *metrics
}

// SkipAll implements jobs.SlotStore.
func (s watchedSlots) SkipAll(ctx context.Context, runs []run.Run) error {
	skipped, err := s.SkipSlots(ctx, runs)
	for _, r := range skipped {
		s.metrics.runs.WithLabelValues(r.Job, r.Jurisdiction, string(run.Skipped)).Inc()
	}
	return err
}

// attach counts what a dispatcher's letters and mails come to.
func (m *metrics) attach(d *notify.Dispatcher) {
	if m == nil {
		return
	}
	d.OnSettled = m.settled
	d.Transport = watchedTransport{d.Transport, m}
}

// settled counts a letter by its state and by the outcome of its reader's own copy; none where it was not tried.
func (m *metrics) settled(n notice.Notice) {
	outcome := "none"
	for _, r := range n.Receipts {
		if !r.Copy {
			outcome = string(r.Outcome)
		}
	}
	m.letters.WithLabelValues(n.Key.Kind, string(n.State), outcome).Inc()
}

// watchedTransport times the mails of its lanes.
type watchedTransport struct {
	notify.Transport
	metrics *metrics
}

// Lane implements notify.Transport.
func (t watchedTransport) Lane() notify.Lane { return watchedLane{t.Transport.Lane(), t.metrics} }

type watchedLane struct {
	notify.Lane
	metrics *metrics
}

// Send implements notify.Lane.
func (l watchedLane) Send(ctx context.Context, mails []compose.Message, each notify.Each) int {
	done := each.Done
	each.Done = func(i int, r notice.Receipt) bool {
		l.metrics.sends.WithLabelValues(string(r.Outcome)).Observe(r.Took.Seconds())
		return done(i, r)
	}
	return l.Lane.Send(ctx, mails, each)
}
