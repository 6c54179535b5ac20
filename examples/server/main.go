// Server serves a user directory over HTTP, in every dialect, on one SQLite file or
// on PostgreSQL.
//
//	go run ./examples/server
//
// On an empty database it creates demo data, unless -apply names a Snapshot to
// bring it to, and it prints a curl line for each dialect. SIGTERM and SIGINT
// end it after the requests that are under way.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	addr, db, apply, key, log, redirect string
}

func parse(args []string, out io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("server", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`address` to listen on")
	f.StringVar(&c.db, "db", "usermgmt.db", "database: a `file`, a postgres:// URL, or the word memory")
	f.StringVar(&c.apply, "apply", "", "bring the directory to the Snapshot in this JSON `file`")
	f.StringVar(&c.key, "key", "usermgmt.key", "`file` with the signing key, created if absent")
	f.StringVar(&c.log, "log", "text", "`format` of the log: text or json")
	f.StringVar(&c.redirect, "redirect", "", "`URL` that vendors' users are sent to with their one-time code; a page of this server's if empty")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	switch {
	case f.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case c.log != "text" && c.log != "json":
		return c, fmt.Errorf("-log must be text or json, not %q", c.log)
	}
	return c, nil
}

// run serves until the context is done.
func run(ctx context.Context, args []string, out, errout io.Writer) (err error) {
	c, err := parse(args, errout)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(errout, nil))
	if c.log == "json" {
		logger = slog.New(slog.NewJSONHandler(errout, nil))
	}
	listener, err := net.Listen("tcp", c.addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	defer listener.Close()
	key, err := loadKey(c.key)
	if err != nil {
		return fmt.Errorf("-key %s: %w", c.key, err)
	}
	base := "http://" + listener.Addr().String()

	if c.redirect == "" {
		c.redirect = base + landingPath
	}
	s, err := openStore(ctx, c.db)
	if err != nil {
		return fmt.Errorf("-db %s: %w", withoutPassword(c.db), err)
	}
	m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}, RedirectURL: c.redirect, Logger: logger})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	defer func() { err = errors.Join(err, m.Close()) }()

	if err := seed(ctx, m, c.apply, listener.Addr()); err != nil {
		return err
	}
	adapter, err := httpadapter.New(m, httpadapter.Options{Logger: logger, ClientAddress: httpadapter.RemoteAddress})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "usermgmt listens on %s\n", base)
	if err := printTour(ctx, m, out, base); err != nil {
		return err
	}
	return serve(ctx, listener, withLanding(adapter), logger)
}

// withoutPassword is the name of a database as it may be shown.
func withoutPassword(db string) string {
	if u, err := url.Parse(db); err == nil && u.User != nil {
		return u.Redacted()
	}
	return db
}

func openStore(ctx context.Context, db string) (store.Store, error) {
	switch {
	case db == "memory":
		return memstore.New(), nil
	case strings.HasPrefix(db, "postgres://"), strings.HasPrefix(db, "postgresql://"):
		return pgstore.Open(ctx, db, nil)
	case strings.Contains(db, "://"):
		return nil, fmt.Errorf("%s: only PostgreSQL is known behind a URL", strings.SplitN(db, ":", 2)[0])
	}
	return sqlitestore.Open(ctx, db, nil)
}

// serve answers requests until the context is done, and then those that are
// under way, for ten seconds at most.
func serve(ctx context.Context, l net.Listener, h http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := server.Shutdown(grace)
	<-failed // http.ErrServerClosed, now that Serve has returned
	return err
}
