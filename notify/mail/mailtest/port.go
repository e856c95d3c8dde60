package mailtest

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// listen opens a port of 127.0.0.1: any free one when port is 0. A port that was
// ours a moment ago may be in use as the near end of some connection for a short
// while, so a known port is tried for up to two seconds.
func listen(port int) (*net.TCPListener, error) {
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	for try := 0; ; try++ {
		ln, err := net.ListenTCP("tcp4", addr)
		if err == nil {
			return ln, nil
		}
		if port == 0 || try == 100 || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("listen on %s: %w", addr, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}
