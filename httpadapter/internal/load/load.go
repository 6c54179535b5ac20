// Package load sends requests to a server on this machine, a given number of them
// over a given number of connections, and says how many were answered in a
// second. It is for benchmarks.
//
//	result, err := load.Run(ctx, load.Plan{Addr: addr, Connections: 16, Requests: 10_000, Request: next})
//
// Each connection is kept alive and has one request under way at a time. The
// client does as little as it can, so that what is measured is the server.
package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of a Plan.
const (
	MaxConnections = 256
	MaxRequests    = 10_000_000
)

// Plan says what is sent.
type Plan struct {
	// Addr is a loopback address with a port, as "127.0.0.1:8080".
	Addr string
	// Connections is how many there are, 1 to MaxConnections.
	Connections int
	// Requests is how many are sent in all, 1 to MaxRequests.
	Requests int
	// Request returns the n-th request, from 0, as bytes of HTTP/1.1. It is called
	// concurrently, and what it returns is not kept.
	Request func(n int) []byte
	// Status is what every answer must have.
	Status int
}

// Result says how it went.
type Result struct {
	Requests int
	Took     time.Duration
	// Median and P99 are latencies.
	Median, P99 time.Duration
}

// PerSecond is the rate of requests.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Took.Seconds() }

// Run carries out the plan. It fails at the first answer that is not as
// planned, and on addresses that are not of this machine.
func Run(ctx context.Context, p Plan) (Result, error) {
	if err := p.check(); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	latencies := make([][]time.Duration, p.Connections)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range p.Connections {
		wg.Go(func() {
			took, err := p.drive(ctx, &next)
			if latencies[i] = took; err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if err := context.Cause(ctx); err != nil {
		return Result{}, err
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	return Result{Requests: len(all), Took: took, Median: all[len(all)/2], P99: all[len(all)*99/100]}, nil
}

func (p Plan) check() error {
	host, _, err := net.SplitHostPort(p.Addr)
	switch ip := net.ParseIP(host); {
	case err != nil:
		return fmt.Errorf("load: %w", err)
	case ip == nil || !ip.IsLoopback():
		return fmt.Errorf("load: %s is not an address of this machine", p.Addr)
	case p.Connections < 1 || p.Connections > MaxConnections:
		return fmt.Errorf("load: connections must be 1 to %d", MaxConnections)
	case p.Requests < 1 || p.Requests > MaxRequests:
		return fmt.Errorf("load: requests must be 1 to %d", MaxRequests)
	}
	return nil
}

// drive sends requests over one connection until there are no more.
func (p Plan) drive(ctx context.Context, next *atomic.Int64) ([]time.Duration, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", p.Addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	answers := bufio.NewReader(conn)
	var took []time.Duration
	for {
		n := int(next.Add(1)) - 1
		if n >= p.Requests {
			return took, nil
		}
		begin := time.Now()
		if _, err := conn.Write(p.Request(n)); err != nil {
			return took, err
		}
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return took, err
		}
		body, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode != p.Status {
			err = fmt.Errorf("load: request %d was answered %s: %.200s", n, res.Status, body)
		}
		if err == nil && res.Close {
			err = errors.New("load: the server closed a connection")
		}
		if err != nil {
			return took, err
		}
		took = append(took, time.Since(begin))
	}
}
