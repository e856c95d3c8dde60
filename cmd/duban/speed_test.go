package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"
	"gopkg.in/gomail.v2"

	"duban/jobs/civil"
	"duban/jobs/run"
	"duban/jobs/task"
	"duban/notify"
	"duban/notify/archive"
	"duban/notify/compose"
	"duban/notify/mail"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
)

// speedLetters is how many letters TestDeliverySpeed delivers each way. The full measurement is
//
//	go test ./cmd/duban -run TestDeliverySpeed -speed 20000 -v
var speedLetters = flag.Int("speed", 400, "how many letters TestDeliverySpeed delivers each way")

const (
	speedLanes = 4
	speedDay   = "2024-09-26"
)

var speedMail = compose.Mail{FromAddress: "duban@sfj.example", FromName: "区司法局", Domain: "sfj.example"}

// sinkServer is a mail server of its own process that takes everything: the usual yardstick where it is installed, else
// ours. It returns its address and name.
func sinkServer(t *testing.T) (addr, name string) {
	t.Helper()
	path, err := exec.LookPath("smtp-sink")
	if err != nil {
		s, err := mailtest.Start(mailtest.Config{Extensions: mailtest.AllExtensions(), Keep: mailtest.KeepCount, Transcript: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.Addr(), "our own, in this process"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	args := []string{addr, "100"}
	if os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 1000 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr, "smtp-sink"
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not listen on %s", path, addr)
	return "", ""
}

// speedLetter is a letter whose HTML is 12 KB: nine items in Chinese.
func speedLetter(i int) notice.Notice {
	day := civil.MustParse(speedDay)
	k := notice.Key{Jurisdiction: costCode, Date: day, Unit: fmt.Sprintf("u%06d", i), Role: "liaison", Kind: notice.UnitLetter}
	f := notice.Facts{
		Jurisdiction: "青岛市崂山区", Date: day,
		Issuer:     notice.Issuer{Name: "青岛市崂山区司法局", Short: "区司法局", Word: "工作提示", Contact: "示例甲", Phone: "0532-00000000", Email: "fzk@sfj.example"},
		Reader:     notice.Reader{Code: k.Unit, Name: "区交通运输局", FullName: "青岛市崂山区交通运输局", Honorific: "贵局"},
		Recipients: []notice.Recipient{{Role: "liaison", Name: "示例乙", Email: k.Unit + "@unit.example"}},
		Plans:      []notice.Plan{{Code: "zf", Title: "崂山区提升行政执法质量三年行动实施方案", DocNumber: "崂政办发〔2024〕1号", Issued: civil.MustParse("2024-01-15")}},
	}
	for n := range 9 {
		it := notice.Item{
			Ref: fmt.Sprintf("%s/zf/%d/%s/m1", costCode, n, k.Unit), Row: strconv.Itoa(n + 1), Title: "突出问题清单和专项监督自查材料报送",
			Kind: "milestone", Due: day + 4, Nominal: day + 4, LastWorkday: day + 4, DeadlineText: "2024年9月底前", Left: 3,
			MakeUp: []civil.Date{civil.MustParse("2024-09-29")}, Deliverable: "自查报告", Evidence: "检查记录", Channel: "书面报送", Step: "T-3", Rung: "reminder",
		}
		if n < 3 {
			it.Due, it.Nominal, it.LastWorkday, it.Left, it.Late, it.Step, it.Rung = day-13, day-13, day-13, 0, 8, "T+5", "urging"
			it.MakeUp, it.Reminded, it.Urged = nil, []civil.Date{day - 16}, []civil.Date{day - 8}
			f.Overdue = append(f.Overdue, it)
			continue
		}
		f.Upcoming = append(f.Upcoming, it)
	}
	return notice.Notice{ID: k.ID(), Key: k, Job: "remind", Facts: f, State: notice.Pending}
}

// planned writes n letters into the database, as a day's planning does.
func planned(t testing.TB, s *store.Store, n int) {
	t.Helper()
	ctx := t.Context()
	day := civil.MustParse(speedDay)
	seq, err := s.Write(ctx, costCode, 0, task.Batch{Jurisdiction: &task.Jurisdiction{Code: costCode, Name: "崂山区", Bureau: "sfj"}})
	if err != nil {
		t.Fatal(err)
	}
	slot := run.Slot{Job: "remind", Jurisdiction: costCode, Date: day}
	claimed, ok, err := s.ClaimSlot(ctx, slot, "speed", time.Hour, false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	claimed.State = run.Done
	letters := make([]notice.Notice, n)
	for i := range letters {
		letters[i] = speedLetter(i)
	}
	if err := s.SavePlan(ctx, costCode, seq, run.DayPlan{Notices: letters, Run: claimed}); err != nil {
		t.Fatal(err)
	}
}

// prebuilt returns n finished mails.
func prebuilt(t *testing.T, n int) []compose.Message {
	t.Helper()
	c, err := compose.New(speedMail)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]compose.Message, n)
	for i := range out {
		if out[i], err = c.Compose(speedLetter(i), 0); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// lanes splits the work among goroutines and returns how long it took.
func lanes(t *testing.T, n int, work func(from, to int) error) time.Duration {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, speedLanes)
	begun := time.Now()
	for i := range speedLanes {
		all.Go(func() { errs[i] = work(n*i/speedLanes, n*(i+1)/speedLanes) })
	}
	all.Wait()
	took := time.Since(begun)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return took
}

// rawPipelined writes finished mails over one connection, each with the envelope of the next.
func rawPipelined(addr string, mails []compose.Message) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	r, w := bufio.NewReaderSize(c, 16<<10), bufio.NewWriterSize(c, 64<<10)
	answers := func(n int, class byte) error {
		for range n {
			for {
				l, err := r.ReadSlice('\n')
				if err != nil {
					return err
				}
				if len(l) > 3 && l[3] == '-' {
					continue
				}
				if l[0] != class && l[0] != '2' {
					return fmt.Errorf("the sink says %q", l)
				}
				break
			}
		}
		return nil
	}
	if err := answers(1, '2'); err != nil {
		return err
	}
	fmt.Fprintf(w, "EHLO bench.example\r\n")
	if err := errors.Join(w.Flush(), answers(1, '2')); err != nil {
		return err
	}
	envelope := func(m compose.Message) {
		fmt.Fprintf(w, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", m.From, m.To)
	}
	envelope(mails[0])
	for i, m := range mails {
		if err := errors.Join(w.Flush(), answers(3, '3')); err != nil {
			return err
		}
		if _, err := w.Write(m.Bytes); err != nil {
			return err
		}
		if _, err := io.WriteString(w, ".\r\n"); err != nil {
			return err
		}
		if i+1 < len(mails) {
			envelope(mails[i+1])
		}
		if err := errors.Join(w.Flush(), answers(1, '2')); err != nil {
			return err
		}
	}
	return nil
}

// gomailReused sends letters with gomail's own sender over a connection that is kept, each composed by gomail from
// finished texts. There is no database.
func gomailReused(addr string, mails []compose.Message) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	p, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	s, err := (&gomail.Dialer{Host: host, Port: p}).Dial()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for _, msg := range mails {
		m := gomail.NewMessage(gomail.SetEncoding(gomail.Base64))
		m.SetHeader("From", msg.From)
		m.SetHeader("To", msg.To)
		m.SetHeader("Subject", msg.Subject)
		m.SetBody("text/plain", msg.Text)
		m.AddAlternative("text/html", msg.HTML)
		if err := gomail.Send(s, m); err != nil {
			return err
		}
	}
	return nil
}

// ownClient hands finished mails to duban's own client, without a database.
func ownClient(ctx context.Context, addr string, mails []compose.Message) error {
	tr, err := mail.New(speedConfig(addr))
	if err != nil {
		return err
	}
	defer func() { _ = tr.Close() }()
	var bad error
	n := tr.Lane().Send(ctx, mails, notify.Each{
		BeforeDot: func(int, compose.Message) error { return nil },
		Done: func(_ int, r notice.Receipt) bool {
			if r.Outcome != notice.OutcomeAccepted {
				bad = errors.New(r.String())
			}
			return true
		},
	})
	if n != len(mails) && bad == nil {
		bad = fmt.Errorf("%d of %d mails", n, len(mails))
	}
	return bad
}

func speedConfig(addr string) mail.Config {
	host, port, _ := strings.Cut(addr, ":")
	p, _ := strconv.Atoi(port)
	return mail.Config{Host: host, Port: p, Security: mail.Plain, Hello: "bench.example", Lanes: speedLanes, PerConnection: 1 << 20}
}

// dispatched delivers the planned letters of the store over the sink by the whole path.
func dispatched(t *testing.T, s *store.Store, addr string, n int, keep bool) time.Duration {
	t.Helper()
	tr, err := mail.New(speedConfig(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tr.Close() }()
	ts := &timedStore{Store: s}
	defer func() { t.Log(ts) }()
	d := &notify.Dispatcher{Store: ts, Transport: tr, Mail: speedMail, By: "speed", Log: zerolog.Nop(), Wait: -1}
	if keep {
		if d.Archive, err = archive.Open(t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	sum, err := d.Run(t.Context(), notice.ClaimFilter{Jurisdiction: costCode, Date: civil.MustParse(speedDay)})
	took := time.Since(begun)
	if err != nil || sum.Sent != n {
		t.Fatalf("%+v %v", sum, err)
	}
	return took
}

// measured leaves a measurement out where the race detector changes what is measured.
func measured(t *testing.T) {
	t.Helper()
	if !timed {
		t.Skip("the race detector changes what is measured; `go test ./cmd/duban` without -race measures it, and so does the gate")
	}
}

// TestDeliverySpeed measures the whole path (claim, compose, send, settle durably) against the machine's raw limit: finished
// bytes over kept, pipelined connections to the same sink, in the same run.
func TestDeliverySpeed(t *testing.T) {
	measured(t)
	n := *speedLetters
	defer runtime.KeepAlive(make([]byte, reserve)) // as the program does
	addr, sink := sinkServer(t)
	mails := prebuilt(t, n)
	spentRaw := cpu()
	raw := lanes(t, n, func(from, to int) error { return rawPipelined(addr, mails[from:to]) })
	perSecond := func(d time.Duration) float64 { return float64(n) / d.Seconds() }
	spent := cpu()
	each := func() string { // processor time of this process per letter since it was asked last
		now := cpu()
		defer func() { spent = now }()
		return fmt.Sprintf("%4d µs of processor each", (now-spent).Microseconds()/int64(n))
	}
	t.Logf("%d letters of %d bytes (HTML %d) over %d connections to %s on %d cores", n, len(mails[0].Bytes), len(mails[0].HTML), speedLanes, sink, runtime.NumCPU())
	spent = spentRaw
	t.Logf("%-44s %7.0f a second  1.00  %s", "raw: finished bytes, pipelined", perSecond(raw), each())
	plain := lanes(t, n, func(from, to int) error { return gomailReused(addr, mails[from:to]) })
	t.Logf("%-44s %7.0f a second  %.2f  %s", "gomail's own sender, kept, no database", perSecond(plain), raw.Seconds()/plain.Seconds(), each())
	own := lanes(t, n, func(from, to int) error { return ownClient(t.Context(), addr, mails[from:to]) })
	t.Logf("%-44s %7.0f a second  %.2f  %s", "duban's own client, finished mails", perSecond(own), raw.Seconds()/own.Seconds(), each())
	mails = nil
	for _, engine := range storetest.Engines(t) {
		for _, keep := range []bool{false, true} {
			dsn := engine.DSN(t)
			durable(t, dsn)
			s := storetest.Reopen(t, dsn)
			if _, err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			planned(t, s, n)
			debug.FreeOSMemory()
			spent = cpu()
			took := dispatched(t, s, addr, n, keep)
			name := "duban on " + engine.Name
			if keep {
				name += ", archive on"
			}
			t.Logf("%-44s %7.0f a second  %.2f  %s", name, perSecond(took), raw.Seconds()/took.Seconds(), each())
			reconcile(t, s, n)
		}
	}
}

// durable has a MariaDB server of the tests, which forgets in a power cut for speed, keep what it commits, as SQLite does.
func durable(t *testing.T, dsn string) {
	t.Helper()
	at, ok := strings.CutPrefix(dsn, "mysql://root@unix(")
	if !ok {
		return
	}
	socket, _, _ := strings.Cut(at, ")")
	db, err := sql.Open("mysql", "root@unix("+socket+")/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "SET GLOBAL innodb_flush_log_at_trx_commit = 1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("mysql", "root@unix("+socket+")/")
		if err == nil {
			_, _ = db.Exec("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
			_ = db.Close()
		}
	})
}

// reconcile checks that every letter has its receipt.
func reconcile(t *testing.T, s *store.Store, n int) {
	t.Helper()
	counts, err := s.LetterCounts(t.Context(), costCode)
	if err != nil || counts[notice.Sent] != n {
		t.Fatalf("%v %v", counts, err)
	}
}

// TestDrainingNeedsLittleMemory drains a day's letters by the program itself, archive on, and looks at the most memory the
// process ever held.
func TestDrainingNeedsLittleMemory(t *testing.T) {
	measured(t)
	const most = 100 << 20
	n := max(*speedLetters, 2000)
	addr, _ := sinkServer(t)
	host, port, _ := strings.Cut(addr, ":")
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "duban.db")
	s, err := store.Open(t.Context(), dsn, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	planned(t, s, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary(t), "run", "remind", "--date", speedDay)
	cmd.Dir = dir
	cmd.Env = []string{
		"DUBAN_DATABASE_DSN=" + dsn, "DUBAN_MAIL_TRANSPORT=smtp", "DUBAN_MAIL_FROM_ADDRESS=duban@sfj.example",
		"DUBAN_MAIL_SMTP_HOST=" + host, "DUBAN_MAIL_SMTP_PORT=" + port, "DUBAN_MAIL_SMTP_TLS=none",
	}
	begun := time.Now()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := watchMemory(cmd.Process.Pid)
	err = cmd.Wait()
	held := <-peak
	if err != nil || !strings.Contains(out.String(), fmt.Sprintf("%d sent", n)) {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Logf("%d letters drained in %s by one process that never held more than %d MB", n, time.Since(begun).Round(time.Millisecond), held>>20)
	if held > most {
		t.Errorf("it held %d MB, want at most %d", held>>20, most>>20)
	}
}

// watchMemory returns, once the process is gone, the most memory it held, in bytes. What the kernel tells afterwards would
// count the parent's memory too, which the child shares for a moment.
func watchMemory(pid int) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		var most int64
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, after, ok := strings.Cut(string(status), "VmHWM:")
			if err != nil || !ok {
				peak <- most
				return
			}
			if kb, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64); err == nil {
				most = max(most, kb<<10)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return peak
}
