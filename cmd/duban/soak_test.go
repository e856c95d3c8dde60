package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify/archive"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// The full soak, of 600 kills and 100,000 letters over both engines, is
//
//	go test ./cmd/duban -run 'TestSoak$' -soak -timeout 60m -v
var (
	soakFull = flag.Bool("soak", false, "TestSoak in its full size")
	soakSeed = flag.Uint64("soak.seed", 20240926, "what TestSoak draws its kills and faults from")
)

// A claim of the soak is short, so that letters of the dead are soon taken back.
const (
	soakLease = 2 * time.Second
	soakPhase = 400 * time.Millisecond
)

// soakBureau reads the digest.
const soakBureau = "bureau@sfj.example"

// soakSize is how much one engine's soak does.
type soakSize struct{ letterCount, killCount, crashCount, workers int }

// sizeOf returns the size for an engine. Under the race detector only the server and the reckoning are slower; the letters
// that it must see are few.
func sizeOf(engine string) soakSize {
	n := soakSize{letterCount: 5000, killCount: 25, workers: 1}
	switch {
	case *soakFull:
		n = soakSize{letterCount: 50_000, killCount: 300, workers: 1}
	case !timed:
		n = soakSize{letterCount: 600, killCount: 5, workers: 1}
	}
	if engine == "mysql" {
		n.workers, n.crashCount = 3, 1+n.killCount/20
	}
	return n
}

// soak is one engine's: workers of one database and one relay that are killed over and over.
type soak struct {
	t *testing.T
	soakSize
	program, dir, config string
	dsn                  string // as the test opens it
	day                  civil.Date
	freeze               bool
	relay                *mailtest.Server
	relayed              *relayPlan
	database             *storetest.Server // nil: embedded
	planned              map[string]soakLetterPlan

	kills, starts, stops, crashed, freezes atomic.Int64
	instants                               sync.Map // of the kills: how many by what they were drawn for
}

// TestSoak kills workers at any instant while their relay misbehaves and their database is killed too, lets what is left
// drain, and then holds what the relay took against what the database says. No letter may be lost, and none may come
// twice but those that were in doubt, once more.
func TestSoak(t *testing.T) {
	t.Logf("seed %d (-soak.seed)", *soakSeed)
	program := binary(t)
	for i, engine := range []string{"sqlite", "mysql"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := &soak{t: t, soakSize: sizeOf(engine), program: program, dir: t.TempDir()}
			random := rand.New(rand.NewPCG(*soakSeed, uint64(i)))
			begun := time.Now()
			s.prepare(engine, random)
			s.rage(random)
			s.drain()
			s.conclude(begun)
		})
	}
}

// prepare makes the database with its letters, the relay and the configuration.
func (s *soak) prepare(engine string, random *rand.Rand) {
	t := s.t
	if engine == "mysql" {
		s.database, s.freeze = storetest.Killable(t), true
		s.dsn = s.database.DSN(t)
	} else {
		s.dsn = "sqlite:" + filepath.Join(s.dir, "duban.db")
	}
	s.relayed = &relayPlan{random: rand.New(rand.NewPCG(random.Uint64(), 1))}
	s.relayed.budget = func() int64 { return int64(s.letterCount) * (s.kills.Load() + 1) / int64(s.killCount) }
	s.relay = mailtest.Serve(t, mailtest.Config{
		Extensions: mailtest.AllExtensions(), CheckContent: true, Transcript: -1, Decide: s.relayed.decide,
	})
	// The zone is one in which the day has long begun and does not end during the test.
	hour := 8 - time.Now().UTC().Hour()
	if hour < -12 {
		hour += 24
	}
	s.day = civil.In(time.Now(), time.FixedZone("", hour*3600))
	zone := fmt.Sprintf("Etc/GMT%+d", -hour)
	calendar := s.file("calendar.json", fmt.Sprintf(`{"years": [%s]}`, workdays(s.day, s.day+1)))
	s.config = s.file("duban.yaml", fmt.Sprintf(`
database: {dsn: %q}
log: {level: warn}
zone: %s
calendar: {overrides: [%q]}
schedule: {%s}
worker: {lease: %s, shutdown_timeout: 5s}
mail:
  transport: smtp
  archive_dir: %q
  from_address: duban@sfj.example
  smtp: {host: 127.0.0.1, port: %d, tls: none, connections: 3, letters_per_connection: 40, connect_timeout: 1s, phase_timeout: %s}
  retry: {first: 300ms, most: 1s, give_up: 30m}
  brake: {after: 6, first: 200ms, most: 1s}
defaults: {window: {from: "00:00", to: "24:00"}}
`, urlOf(s.dsn), zone, calendar, atMidnight, soakLease, filepath.Join(s.dir, "archive"), s.relay.Port(), soakPhase))
	s.plan()
}

// plan writes the day's letters into the database, as its planning does.
func (s *soak) plan() {
	t, ctx := s.t, s.t.Context()
	db, err := store.Open(ctx, s.dsn, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // before its server is killed
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	seq, err := db.Write(ctx, costCode, 0, task.Batch{
		Jurisdiction: &task.Jurisdiction{Code: costCode, Name: "崂山区", Bureau: "sfj"},
		Units: []task.Unit{{
			Code: "sfj", Name: "区司法局", FullName: "崂山区司法局", Chase: task.ChaseNone, On: s.day,
			Contacts: []task.Contact{{Role: task.Liaison, Name: "示例丁", Email: soakBureau}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	claimed, ok, err := db.ClaimSlot(ctx, run.Slot{Job: "remind", Jurisdiction: costCode, Date: s.day}, "soak", time.Hour, false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	claimed.State = run.Done
	letters := make([]notice.Notice, s.letterCount)
	s.planned = make(map[string]soakLetterPlan, s.letterCount+1)
	for i := range letters {
		n := soakLetter(i, s.day)
		letters[i] = n
		for _, r := range n.Facts.Recipients {
			s.planned[n.ID] = append(s.planned[n.ID], r.Email)
		}
	}
	// The workers themselves write one letter more: the bureau's digest of the day, with its table.
	digest := notice.Key{Jurisdiction: costCode, Date: s.day, Unit: "sfj", Role: "bureau", Kind: notice.BureauDigest}
	s.planned[digest.ID()] = soakLetterPlan{soakBureau}
	if err := db.SavePlan(ctx, costCode, seq, run.DayPlan{Notices: letters, Run: claimed}); err != nil {
		t.Fatal(err)
	}
}

// soakLetter is a letter with one item; every eighth has a copy too.
func soakLetter(i int, day civil.Date) notice.Notice {
	n := speedLetter(i)
	n.Key.Date, n.Facts.Date = day, day
	n.ID = n.Key.ID()
	n.Facts.Overdue, n.Facts.Upcoming = n.Facts.Overdue[:1], nil
	n.Facts.Recipients[0].Email = fmt.Sprintf("reader%d@town%d.example", i, i%40)
	if i%8 == 0 {
		n.Facts.Recipients = append(n.Facts.Recipients, notice.Recipient{
			Role: "deputy", Name: "示例丙", Email: fmt.Sprintf("deputy%d@town%d.example", i, i%40), Copy: true,
		})
	}
	return n
}

// rage lets workers run and be killed, with every fault at once, until there were kills enough.
func (s *soak) rage(random *rand.Rand) {
	ctx, enough := context.WithCancel(s.t.Context())
	defer enough()
	var all sync.WaitGroup
	draw := func() *rand.Rand { return rand.New(rand.NewPCG(random.Uint64(), random.Uint64())) }
	for n := range s.workers {
		random := draw()
		args := []string{"--config", s.config, "serve"}
		if s.database == nil {
			args = []string{"--config", s.config, "run", "all", "--date", s.day.String()}
		}
		all.Go(func() { s.worker(ctx, n, random, args...) })
	}
	outages, crashes := draw(), draw()
	var others sync.WaitGroup
	others.Go(func() { s.outages(ctx, outages) })
	others.Go(func() { s.crashes(ctx, crashes) })
	for s.kills.Load() < int64(s.killCount) && !s.t.Failed() {
		if !pause(ctx, 10*time.Millisecond) {
			break
		}
	}
	enough()
	others.Wait()
	all.Wait()
}

// drain delivers what is left, with everything in order again.
func (s *soak) drain() {
	s.relayed.well.Store(true)
	s.relay.DropConnections() // ends what hangs
	if s.t.Failed() {
		s.t.FailNow()
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	db := soakDB(s.t, s.dsn)
	for {
		cmd := exec.CommandContext(ctx, s.program, "--config", s.config, "run", "all", "--date", s.day.String())
		cmd.Dir, cmd.Env = s.dir, []string{}
		out, err := cmd.CombinedOutput()
		left, lerr := s.left(ctx, db)
		if lerr != nil {
			s.t.Fatalf("%v\n%v\n%s", lerr, err, out)
		}
		if err == nil && len(left) == 0 { // all jobs of the day have settled, too: none waits for the slot of a dead worker
			return
		}
		if !pause(ctx, 100*time.Millisecond) {
			s.t.Fatalf("these are left after two quiet minutes: %v\n%v\n%s", left, err, out)
		}
	}
}

// file writes a file into the soak's folder and returns its path.
func (s *soak) file(name, text string) string {
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// left counts the letters by state that have not come to an end.
func (s *soak) left(ctx context.Context, db *sql.DB) (map[string]int, error) {
	left := map[string]int{}
	err := eachRow(ctx, db, "SELECT state, count(*) FROM notices GROUP BY state", func(scan func(...any) error) error {
		var state string
		var n int
		err := scan(&state, &n)
		if state != string(notice.Sent) && state != string(notice.Failed) && state != string(notice.Unknown) {
			left[state] = n
		}
		return err
	})
	return left, err
}

// conclude reckons, and prints what came of it.
func (s *soak) conclude(begun time.Time) {
	t := s.t
	register, err := readSoakRegister(t.Context(), soakDB(t, s.dsn))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := archive.Open(filepath.Join(s.dir, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	journal, _, err := kept.Read(costCode, s.day, s.day)
	if err != nil {
		t.Fatal(err)
	}
	mails := s.relay.Accepted()
	r := reckon(soakRecords{
		planned: s.planned, mails: mails, register: register, journal: journal,
		archived: func(k keptMail) error {
			_, err := kept.Bytes(costCode, s.day, k.id, k.sum)
			return err
		},
	})
	for i, what := range r.wrong {
		if i == 20 {
			t.Errorf("and %d more", len(r.wrong)-i)
			break
		}
		t.Error(what)
	}
	for _, v := range s.relay.Violations() {
		t.Errorf("the relay was spoken to wrongly: %+v", v)
	}
	if s.kills.Load() < int64(s.killCount) || int(s.crashed.Load()) != s.crashCount {
		t.Errorf("%d of %d workers killed, %d of %d database servers", s.kills.Load(), s.killCount, s.crashed.Load(), s.crashCount)
	}
	s.evidence(register, mails)
	t.Log(s.table(r, time.Since(begun)))
}

// table is what came of the soak, for people.
func (s *soak) table(r *reckoning, took time.Duration) string {
	counts := s.relay.Counts()
	var faults, kills []string
	for phase, n := range counts.Faults {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("%s %d", mailtest.Phase(phase), n))
		}
	}
	s.instants.Range(func(at, n any) bool {
		kills = append(kills, fmt.Sprintf("%s %d", at, n.(*atomic.Int64).Load()))
		return true
	})
	slices.Sort(kills)
	var b strings.Builder
	line := func(name string, n any, more string) { fmt.Fprintf(&b, "\n  %-28s %7v  %s", name, n, more) }
	line("letters", r.letters, "")
	line("workers killed", s.kills.Load(), strings.Join(kills, ", "))
	line("workers started again", s.starts.Load()-int64(s.workers), "")
	line("workers frozen", s.freezes.Load(), "for longer than their lease")
	line("database server killed", s.crashed.Load(), "")
	line("relay stopped", s.stops.Load(), "")
	line("faults of the relay", counts.FaultsGiven(), strings.Join(faults, ", "))
	line("mails the relay took", r.accepted, "")
	line("duplicates", r.duplicates, fmt.Sprintf("all of the %d letters sent once more", r.resent))
	line("sent", r.sent, "")
	line("failed", r.failed, "")
	line("unknown, waiting", r.unknown, fmt.Sprintf("%d of them never taken", r.neverTaken))
	line("lost", r.lost, "")
	line("seconds", int(took.Seconds()), "")
	return b.String()
}

// evidence exports the letters of a few units, of each kind of end one, and has the packages verified.
func (s *soak) evidence(register soakRegister, mails []mailtest.Mail) {
	times := map[string]int{}
	for _, m := range mails {
		id, _, _ := strings.Cut(strings.Trim(m.MessageID, "<>"), "@")
		times[id]++
	}
	sample := map[string]string{} // a letter by what became of it
	for _, row := range register.letters {
		sample[fmt.Sprintf("%s, taken %d times, resent %v", row.state, times[row.id], row.resent)] = row.id
	}
	db := storetest.Reopen(s.t, s.dsn)
	j, err := db.Jurisdiction(s.t.Context(), costCode)
	if err != nil {
		s.t.Fatal(err)
	}
	units := map[string]string{}
	batch := task.Batch{At: time.Now()}
	for what, id := range sample {
		n, err := db.Notice(s.t.Context(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		units[what] = n.Key.Unit
		batch.Units = append(batch.Units, task.Unit{Code: n.Key.Unit, Name: n.Key.Unit, FullName: n.Key.Unit, Chase: task.ChaseLetter, On: s.day})
	}
	if _, err := db.Write(s.t.Context(), costCode, j.Seq, batch); err != nil {
		s.t.Fatal(err)
	}
	for what, unit := range units {
		file := filepath.Join(s.dir, unit+".zip")
		for _, args := range [][]string{
			{"--unit", unit, "--from", s.day.String(), "--to", s.day.String(), "--out", file}, {"--verify", file},
		} {
			cmd := exec.CommandContext(s.t.Context(), s.program, append([]string{"--config", s.config, "export", "evidence"}, args...)...)
			cmd.Dir, cmd.Env = s.dir, []string{}
			if out, err := cmd.CombinedOutput(); err != nil {
				s.t.Errorf("evidence of a letter that is %s: %v\n%s", what, err, out)
			}
		}
	}
}
