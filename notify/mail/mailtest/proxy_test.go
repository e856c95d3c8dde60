package mailtest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// echo answers each line with "did LINE" and remembers it.
type echo struct {
	net.Listener
	mu    sync.Mutex
	lines []string
}

func newEcho(t *testing.T, network, addr string) *echo {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{Listener: ln}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				for sc := bufio.NewScanner(c); sc.Scan(); {
					e.mu.Lock()
					e.lines = append(e.lines, sc.Text())
					e.mu.Unlock()
					fmt.Fprintf(c, "did %s\n", sc.Text())
				}
			})
		}
	})
	return e
}

func (e *echo) did() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.lines, " ")
}

func newProxy(t *testing.T, e *echo) *Proxy {
	t.Helper()
	p, err := StartProxy(e.Addr().Network(), e.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestProxy(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		addr := "127.0.0.1:0"
		if network == "unix" {
			addr = filepath.Join(t.TempDir(), "s")
		}
		t.Run(network, func(t *testing.T) {
			p := newProxy(t, newEcho(t, network, addr))
			a := dial(t, p.Addr())
			a.ask("one", "did one")

			p.Stall()
			a.send("two\r\n")
			a.silent()
			p.Continue()
			_ = a.SetReadDeadline(time.Now().Add(10 * time.Second))
			a.want("did two")

			p.Refuse()
			if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatalf("refusing: %v", err)
			}
			a.ask("three", "did three")
			if err := p.Admit(); err != nil {
				t.Fatal(err)
			}
			b := dial(t, p.Addr())
			b.ask("four", "did four")
			p.Cut()
			a.end("")
			b.end("")
			dial(t, p.Addr()).ask("five", "did five")
			if p.Connections() != 3 {
				t.Fatalf("%d connections", p.Connections())
			}
		})
	}
}

func TestCutOnMatch(t *testing.T) {
	for _, c := range []struct {
		when When
		did  string
	}{
		{BeforeForward, "begin begin commit begin commit"},
		{BeforeAnswer, "begin commit begin commit begin commit"},
	} {
		e := newEcho(t, "tcp", "127.0.0.1:0")
		p := newProxy(t, e)
		p.CutOnMatch(c.when, 1, func(b []byte) bool { return bytes.Contains(b, []byte("commit")) })
		a := dial(t, p.Addr())
		a.ask("begin", "did begin")
		a.send("commit\r\n")
		a.end("")
		if err := p.WaitCuts(within(t), 1); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			b := dial(t, p.Addr())
			b.ask("begin", "did begin")
			b.ask("commit", "did commit")
		}
		if p.Cuts() != 1 || e.did() != c.did {
			t.Errorf("when %d: %d cuts, did %q, want %q", c.when, p.Cuts(), e.did(), c.did)
		}
	}
}
