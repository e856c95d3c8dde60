package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"duban/store"
	"duban/store/storetest"
)

// operated is a desk whose operations letters go to two addresses.
func operated(d *desk) *desk {
	d.env["DUBAN_OPS_MAIL_TO"] = "ops@sfj.example,on-call@sfj.example"
	return d
}

// operationsLetter is the one of the day, as text.
func (d *desk) operationsLetter(day string) object {
	d.t.Helper()
	for _, o := range d.objects("outbox", "list", "--from", day, "--to", day) {
		if o["kind"] == "operations" {
			return d.objects("outbox", "show", o.text("id"))[0]
		}
	}
	d.t.Fatalf("there is no operations letter of %s", day)
	return nil
}

func TestTheOperationsLetterOfADay(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		operated(d)
		d.ok("run", "all")
		if out := d.ok("run", "health"); !strings.Contains(strings.Join(strings.Fields(out), " "), "health town 2024-09-25") || !strings.Contains(out, "1 sent") {
			t.Errorf("%s", out)
		}
		o := d.operationsLetter("2024-09-25")
		if o.text("state", "unit", "role") != "sent sfj operations" {
			t.Errorf("%v", o)
		}
		text := o.text("subject") + "\n" + o.text("text")
		for _, want := range []string{
			"【市司法局】9月25日督办程序运行正常，今日信件4封、已发4封", "今日信件4封，已发出4封，程序运行正常。", "致单位工作提示｜09:00｜已完成", "编制信件3封", "已完成",
			"今日信件：已发出4封。", "下次运行：9月26日00:05事项开立", "09:00致单位工作提示、09:10督办日报、17:30运行日报。", "节假日安排已有至2026年", "本信每日17:30自动发出",
			"duban status 和 duban doctor", "系统运维人员",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("it lacks %q:\n%s", want, text)
			}
		}
		for _, never := range []string{"请处理", "交通运输", "张三", "@jtj", "！", "您好"} {
			if strings.Contains(text, never) {
				t.Errorf("it says %q:\n%s", never, text)
			}
		}
		// Twice a day it is not written.
		if out := d.ok("run", "health"); !strings.Contains(out, "settled before") {
			t.Error(out)
		}
		if out := d.ok("run", "health", "--again"); strings.Contains(out, "sent") {
			t.Error(out)
		}
		if n := d.tally("--from", "2024-09-25"); n["2024-09-25 operations sent"] != 1 {
			t.Errorf("%v", n)
		}
	})
}

func TestTheOperationsLetterOnADayOffAndWhileSendingIsPaused(t *testing.T) {
	d := operated(town(t, "2024-09-28")) // a Saturday
	d.env["DUBAN_DEFAULTS_WINDOW_FROM"] = "09:00"
	d.ok("pause", "--by", "周科", "--why", "核对")
	d.ok("run", "health")
	o := d.operationsLetter("2024-09-28")
	text := o.text("subject") + "\n" + o.text("text")
	if o["state"] != "sent" || !strings.Contains(text, "有1事待处理，今日无信件") || !strings.Contains(text, "目前不对外发信") ||
		!strings.Contains(text, "对外发信已暂停（核对）：duban resume --jurisdiction town") || !strings.Contains(text, "（休息日）") {
		t.Errorf("%v\n%s", o["state"], text)
	}
	// It is written on a day without letters too, and says so.
	d.ok("resume")
	d.on("2024-09-29") // a make-up workday on which nothing was run
	d.ok("run", "health")
	if text := d.operationsLetter("2024-09-29").text("subject", "text"); !strings.Contains(text, "运行正常，今日无信件") || !strings.Contains(text, "今日无信件，程序运行正常。") {
		t.Error(text)
	}
}

func TestTheOperationsLetterTellsWhatToDo(t *testing.T) {
	d := operated(town(t, "2024-09-25"))
	d.ok("run", "all")
	d.change("UPDATE notices SET state = 'unknown' WHERE unit = 'jtj'")
	d.change("UPDATE notices SET state = 'failed' WHERE unit = 'csj'")
	d.change("UPDATE runs SET state = 'failed', reason = 'the disk is full' WHERE job = 'escalate'")
	d.ok("run", "health")
	text := d.operationsLetter("2024-09-25").text("subject", "text")
	for _, want := range []string{
		"是否送达不明的信件1封：duban outbox list --jurisdiction town --state unknown", "近期被退回的信件1封", "失败", "the disk is full", "有3事待处理",
		"应运行而未完成的作业1次（9月25日督办日报失败）：duban run escalate --jurisdiction town", "，再执行 duban outbox resolve ID",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "zhang@") {
		t.Error(text)
	}
}

// TestNobodyElseHearsOfTheOperationsLetter: neither the digest nor the limit of letters a week, nor the day's planning.
func TestNobodyElseHearsOfTheOperationsLetter(t *testing.T) {
	with, without := operated(town(t, "2024-09-25")), town(t, "2024-09-25")
	for _, day := range []string{"2024-09-25", "2024-09-26", "2024-09-27"} {
		for _, d := range []*desk{with, without} {
			d.on(day)
			d.ok("run", "all")
		}
		with.ok("run", "health")
	}
	a, b := with.tally(), without.tally()
	for _, day := range []string{"2024-09-25", "2024-09-26", "2024-09-27"} {
		if a[day+" operations sent"] != 1 {
			t.Errorf("%v", a)
		}
		delete(a, day+" operations sent")
	}
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("with it %v, without %v", a, b)
	}
	digest := func(d *desk) string {
		for _, o := range d.objects("outbox", "list", "--from", "2024-09-26", "--to", "2024-09-27") {
			if o["kind"] == "bureau-digest" {
				return d.objects("outbox", "show", o.text("id"))[0].text("subject", "text")
			}
		}
		return ""
	}
	if digest(with) != digest(without) {
		t.Errorf("the digest tells of it:\n%s\n%s", digest(with), digest(without))
	}
}

// TestAnOperationsLetterThatDidNotLeaveIsTakenOver by the next day's.
func TestAnOperationsLetterThatDidNotLeaveIsTakenOver(t *testing.T) {
	d := operated(town(t, "2024-09-25"))
	d.ok("run", "health")
	d.change("UPDATE notices SET state = 'pending'")
	d.change("DELETE FROM attempts")
	d.on("2024-09-26")
	d.ok("run", "health")
	if n := d.tally(); n["2024-09-25 operations superseded"] != 1 || n["2024-09-26 operations sent"] != 1 {
		t.Errorf("%v", n)
	}
}

func TestWithoutReadersTheOperationsLetterIsSkipped(t *testing.T) {
	d := town(t, "2024-09-25")
	if out := d.ok("run", "health"); !strings.Contains(out, "skipped: ops.mail_to names nobody") {
		t.Error(out)
	}
	if n := d.tally(); len(n) != 0 {
		t.Errorf("%v", n)
	}
	if out := d.ok("run", "all"); strings.Contains(out, "health") {
		t.Errorf("it is none of all:\n%s", out)
	}
}

// fetch asks a page.
func fetch(t *testing.T, method, url string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

// watchedPages is the pages of a town's worker that has not begun.
func watchedPages(t *testing.T, d *desk, s *store.Store) (*app, *pages, string) {
	t.Helper()
	a := &app{
		out: io.Discard, err: io.Discard, clock: func() time.Time { return d.now }, machine: d.machine,
		env: func(k string) (string, bool) { v, ok := d.env[k]; return v, ok },
	}
	if err := a.load(); err != nil {
		t.Fatal(err)
	}
	p := &pages{metrics: newMetrics(), standing: newStanding(a, s), begun: time.Now(), beat: time.Minute}
	if err := p.metrics.registry.Register(p.standing); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.handler())
	t.Cleanup(server.Close)
	return a, p, server.URL
}

func TestHealthzKnowsWhetherTheLoopGoesRound(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		_, p, url := watchedPages(t, d, s)
		if code, body, _ := fetch(t, "GET", url+"/healthz"); code != 200 || body != "ok\n" {
			t.Errorf("as it begins: %d %s", code, body)
		}
		p.begun = time.Now().Add(-2 * time.Minute)
		if code, body, _ := fetch(t, "GET", url+"/healthz"); code != 503 || !strings.Contains(body, "no look for work since 2m") {
			t.Errorf("it never looked: %d %s", code, body)
		}
		p.metrics.tick()
		if code, _, _ := fetch(t, "HEAD", url+"/healthz"); code != 200 {
			t.Errorf("after a tick: %d", code)
		}
		p.metrics.ticked.Store(time.Now().Add(-61 * time.Second).UnixNano())
		if code, _, _ := fetch(t, "GET", url+"/healthz"); code != 503 {
			t.Errorf("it stands still: %d", code)
		}
		for _, page := range []string{"/healthz", "/readyz", "/metrics"} {
			for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
				if code, _, h := fetch(t, method, url+page); code != 405 || h.Get("Allow") != "GET, HEAD" {
					t.Errorf("%s %s: %d", method, page, code)
				}
			}
		}
		if code, _, _ := fetch(t, "GET", url+"/"); code != 404 {
			t.Errorf("the root: %d", code)
		}
	})
}

func TestReadyz(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		_, p, url := watchedPages(t, d, s)
		ask := func() (int, string) {
			p.asked = time.Time{}
			code, body, _ := fetch(t, "GET", url+"/readyz")
			return code, body
		}
		d.ok("run", "all")
		if code, body := ask(); code != 200 || body != "ok   database\nok   schema\nok   date\nok   versions of town\nok   slots of town\nok   archive of town\n" {
			t.Errorf("%d\n%s", code, body)
		}
		d.on("2024-09-26") // late, and within the grace
		if code, body := ask(); code != 200 {
			t.Errorf("%d\n%s", code, body)
		}
		d.on("2024-09-28")
		if code, body := ask(); code != 503 || !strings.Contains(body, "FAIL slots of town: all jobs: 2024-09-26 to 2024-09-27 (2 days) due and without a record → duban run all --jurisdiction town") &&
			!strings.Contains(body, "FAIL slots of town: all jobs: 2024-09-26 due") {
			t.Errorf("%d\n%s", code, body)
		}
		if code, body, _ := fetch(t, "GET", url+"/readyz"); code != 503 || !strings.Contains(body, "FAIL slots") {
			t.Errorf("asked again at once: %d\n%s", code, body)
		}
		d.on("2024-09-25")
		d.days(40)
		p.standing.machine = d.machine
		if code, body := ask(); code != 503 || !strings.Contains(body, "FAIL date: ") {
			t.Errorf("%d\n%s", code, body)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if r := p.standing.ready(ctx); len(r) != 1 || r[0].err == nil {
			t.Errorf("a database that does not answer: %v", r)
		}
	})
}

// personal is what no page may hold: an address, a unit's code or name, a person's name.
var personal = regexp.MustCompile(`@|jtj|csj|wjj|交通|城市管理|张三|李四|王五`)

func TestMetricsOfATown(t *testing.T) {
	eachTown(t, func(t *testing.T, d *desk, s *store.Store) {
		_, _, url := watchedPages(t, d, s)
		d.ok("run", "all")
		d.ok("pause", "--by", "周科", "--why", "核对")
		code, body, h := fetch(t, "GET", url+"/metrics")
		if code != 200 || !strings.HasPrefix(h.Get("Content-Type"), "text/plain") {
			t.Errorf("%d %v", code, h)
		}
		for _, want := range []string{
			"duban_database_up 1\n", `duban_slots_today{job="remind",jurisdiction="town",state="done"} 1`, `duban_paused{jurisdiction="town"} 1`,
			`duban_sending{jurisdiction="town",state="paused"} 1`, `duban_letters{jurisdiction="town",state="unknown"} 0`, `duban_slots_missing{jurisdiction="town"} 0`,
			`duban_oldest_pending_age_seconds{jurisdiction="town"} 0`, `duban_units_overdue{jurisdiction="town"} `, `duban_brakes{scope="account"} 0`,
			`duban_leases{jurisdiction="town",of="letters"} 0`, "duban_build_info{go=", "duban_last_tick_timestamp_seconds 0\n", "go_goroutines ",
		} {
			if !strings.Contains(body, want) {
				t.Errorf("it lacks %q:\n%s", want, body)
			}
		}
		if found := personal.FindString(body); found != "" {
			t.Errorf("it tells %q", found)
		}
	})
}

// TestMetricsOfAWorker scrapes a `serve` of its own process, on both engines.
func TestMetricsOfAWorker(t *testing.T) {
	for _, e := range storetest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			d, config := liveTown(t, urlOf(e.DSN(t)))
			at := freePort(t)
			w := serve(t, d.dir, []string{"DUBAN_OPS_LISTEN=" + at, "DUBAN_OPS_MAIL_TO=ops@sfj.example", "DUBAN_SCHEDULE_HEALTH=0 0 * * *"}, "--config", config)
			w.until("health and metrics pages", at)
			w.until("job settled", `"job":"escalate"`, `"state":"done"`)
			w.until("letter settled", `"state":"sent"`)
			var body string
			untilSo(t, func() bool {
				_, body, _ = fetch(t, "GET", "http://"+at+"/metrics")
				return strings.Contains(body, `duban_letters_settled_total{kind="unit-letter",outcome="accepted",state="sent"}`) &&
					strings.Contains(body, `duban_letters_settled_total{kind="operations",outcome="accepted",state="sent"} 1`)
			})
			for _, want := range []string{
				`duban_runs_total{job="open",jurisdiction="town",state="done"} 1`, `duban_runs_total{job="health",jurisdiction="town",state="done"} 1`,
				`duban_slot_lateness_seconds_count{job="remind"} 1`, `duban_run_duration_seconds_count{job="escalate"} 1`,
				`duban_send_duration_seconds_bucket{outcome="accepted",le="+Inf"} `, "duban_database_up 1\n",
			} {
				if !strings.Contains(body, want) {
					t.Errorf("it lacks %q:\n%s", want, body)
				}
			}
			if found := personal.FindString(body); found != "" {
				t.Errorf("it tells %q", found)
			}
			if regexp.MustCompile(`duban_last_tick_timestamp_seconds 0\n`).MatchString(body) {
				t.Error("the loop did not tick")
			}
			for _, page := range []string{"/healthz", "/readyz"} {
				if code, text, _ := fetch(t, "GET", "http://"+at+page); code != 200 {
					t.Errorf("%s: %d\n%s", page, code, text)
				}
			}
			// A second worker is told to listen where the first one does.
			d.env["DUBAN_OPS_LISTEN"] = at
			d.fails(exitFailed, []string{"--config", config, "serve"}, "listen on ops.listen "+at, "another address")
			w.stop()
			if _, err := net.DialTimeout("tcp", at, time.Second); err == nil {
				t.Error("the pages outlive the worker")
			}
		})
	}
}

// freePort is an address of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// untilSo asks again and again until it is so.
func untilSo(t *testing.T, so func() bool) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !so(); {
		select {
		case <-end:
			t.Fatal("it never came to be")
		case <-tick.C:
		}
	}
}

func TestTheDefaultAddressMayBeTaken(t *testing.T) {
	var log strings.Builder
	a := &app{out: io.Discard, err: &log, clock: time.Now, env: func(k string) (string, bool) { return "", false }}
	if err := a.load(); err != nil {
		t.Fatal(err)
	}
	first, err := a.listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first != nil { // else another program of this machine has it, which will do as well
		defer first.Close()
	}
	log.Reset()
	if l, err := a.listen(t.Context()); l != nil || err != nil || !strings.Contains(log.String(), "NO HEALTH AND METRICS PAGES") || !strings.Contains(log.String(), `"level":"error"`) {
		t.Errorf("%v %v\n%s", l, err, log.String())
	}
	a.cfg.Ops.Listen = "off"
	if l, err := a.listen(t.Context()); l != nil || err != nil {
		t.Errorf("%v %v", l, err)
	}
	a.cfg.Ops.Listen = "127.0.0.1:9464"
	if l, err := a.listen(t.Context()); l != nil || err == nil {
		t.Errorf("%v %v", l, err)
	}
}

func TestLoopback(t *testing.T) {
	for at, want := range map[string]bool{
		"127.0.0.1:9464": true, "localhost:9464": true, "[::1]:9464": true, "127.8.8.8:1": true, ":9464": false, "0.0.0.0:9464": false,
		"10.0.0.1:9464": false, "[::]:9464": false, "sfj.example:9464": false, "nonsense": false,
	} {
		if loopback(at) != want {
			t.Errorf("%s: %t", at, !want)
		}
	}
}

// TestTheLogIsForPeopleOnATerminalAlone: what is no terminal gets JSON, whatever the test runs on.
func TestTheLogIsForPeopleOnATerminalAlone(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for format, want := range map[string]string{"": `"message":"word"`, "json": `"message":"word"`, "console": "INF word"} {
		a := &app{out: io.Discard, err: f, clock: time.Now, env: func(k string) (string, bool) {
			if k == "DUBAN_LOG_FORMAT" && format != "" {
				return format, true
			}
			return "", false
		}}
		if err := errors.Join(f.Truncate(0), a.load()); err != nil {
			t.Fatal(err)
		}
		a.log.Info().Msg("word")
		b, err := os.ReadFile(f.Name())
		if err != nil || !strings.Contains(string(b), want) || strings.Contains(string(b), "\x1b[") {
			t.Errorf("%q: %q %v", format, b, err)
		}
	}
}
