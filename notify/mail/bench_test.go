package mail

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"duban/notify"
	"duban/notify/compose"
	"duban/notify/notice"
)

// drain is a sink that is faster than any client: it answers, and keeps nothing.
func drain(b *testing.B) int {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); swallow(c) })
		}
	})
	b.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).Port
}

func swallow(c net.Conn) {
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriter(c)
	_, _ = w.WriteString("220 hi\r\n")
	body := false
	for {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		l, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return
		case body:
			if len(l) == 3 && l[0] == '.' {
				body = false
				_, _ = w.WriteString("250 2.0.0 queued as 4711\r\n")
			}
		case l[0] == 'D':
			body = true
			_, _ = w.WriteString("354 go on\r\n")
		case l[0] == 'E':
			_, _ = w.WriteString("250-hi\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10000000\r\n")
		case l[0] == 'Q':
			_, _ = w.WriteString("221 bye\r\n")
		default:
			_, _ = w.WriteString("250 2.1.0 ok\r\n")
		}
	}
}

func benchBody() []byte {
	return []byte("Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("A", 76)+"\r\n", 24<<10/78))
}

// BenchmarkLane is a stream of letters of 24 KB over one connection.
func BenchmarkLane(b *testing.B) {
	tr, err := New(Config{Host: "127.0.0.1", Port: drain(b), Security: Plain, PerConnection: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	l, m := tr.Lane(), letter
	m.Bytes = benchBody()
	ms := make([]compose.Message, 100)
	for i := range ms {
		ms[i] = m
	}
	each := notify.Each{
		BeforeDot: func(int, compose.Message) error { return nil },
		Done: func(_ int, r notice.Receipt) bool {
			if r.Outcome != notice.OutcomeAccepted {
				b.Errorf("%+v", r)
			}
			return true
		},
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(m.Bytes)))
	for n := b.N; n > 0; n -= len(ms) {
		if got := l.Send(b.Context(), ms[:min(n, len(ms))], each); got == 0 {
			b.Fatal("nothing was sent")
		}
	}
}

// BenchmarkRaw is the limit: the same bytes, written as they are, and the answers counted.
func BenchmarkRaw(b *testing.B) {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", drain(b)))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	envelope := fmt.Sprintf("MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", letter.From, letter.To)
	body := benchBody()
	one := append(bytes.Clone(body), ".\r\n"+envelope...)
	r := bufio.NewReader(c)
	lines := func(n int) {
		for range n {
			if _, err := r.ReadSlice('\n'); err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := io.WriteString(c, "EHLO x\r\n"+envelope); err != nil {
		b.Fatal(err)
	}
	lines(1 + 4 + 3)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for range b.N {
		if _, err := c.Write(one); err != nil {
			b.Fatal(err)
		}
		lines(4)
	}
}
