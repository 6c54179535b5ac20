// Migrate moves a user directory from one database to another, such as from an
// SQLite file to PostgreSQL.
//
//	go run ./examples/migrate -from usermgmt.db -to postgres://app@db.example/app
//
// It streams: what the one exports the other applies at once, and neither is held
// in memory or lies on a disk. Stop whatever writes to the old database before.
// Passwords, secrets of vendors, API keys and organization tokens work at the
// new place as before; people sign in again. If it is broken off, run it again:
// it goes on, and where all is there it changes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/usermgmt-go/usermgmt"
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
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct{ from, to, realm string }

func parse(args []string, out io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("migrate", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&c.from, "from", "", "database to read: a `file`, or a postgres:// URL")
	f.StringVar(&c.to, "to", "", "database to write, made if absent: a `file`, or a postgres:// URL")
	f.StringVar(&c.realm, "realm", string(usermgmt.DefaultRealm), "`name` of the realm to move")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	switch {
	case f.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case c.from == "" || c.to == "":
		return c, errors.New("-from and -to must be given")
	case c.from == c.to:
		return c, errors.New("-from and -to are the same database")
	}
	return c, nil
}

// run moves the directory, with a line of progress on errout and one of the
// outcome on out.
func run(ctx context.Context, args []string, out, errout io.Writer) (err error) {
	c, err := parse(args, errout)
	if err != nil {
		return err
	}
	if !isPostgres(c.from) {
		// To open it would make it.
		if _, err := os.Stat(c.from); err != nil {
			return fmt.Errorf("-from: %w", err)
		}
	}
	from, err := open(ctx, c.from, c.realm)
	if err != nil {
		return fmt.Errorf("-from %s: %w", withoutPassword(c.from), err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := open(ctx, c.to, c.realm)
	if err != nil {
		return fmt.Errorf("-to %s: %w", withoutPassword(c.to), err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()

	done, err := move(ctx, from, to, func(p usermgmt.StreamProgress) { fmt.Fprintf(errout, "\r%s", counts(p)) })
	fmt.Fprintln(errout)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: all there\n", counts(done))
	return nil
}

// move applies to the one what the other exports, and tells how far it has come.
func move(ctx context.Context, from, to *usermgmt.Manager, tell func(usermgmt.StreamProgress)) (usermgmt.StreamProgress, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	exported := make(chan error, 1)
	go func() {
		err := from.ExportTo(ctx, w, nil)
		w.CloseWithError(err) // nil is the end of the stream
		exported <- err
	}()
	var done usermgmt.StreamProgress
	err := to.ApplyFrom(ctx, r, &usermgmt.StreamOptions{Progress: func(p usermgmt.StreamProgress) {
		done = p
		tell(p)
	}})
	r.CloseWithError(err) // so that an export whose reader has gone ends
	cancel()
	if failed := <-exported; err == nil {
		err = failed
	}
	return done, err
}

// counts is one line, without what there is none of.
func counts(p usermgmt.StreamProgress) string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{p.Permissions, "permissions"}, {p.Tenants, "tenants"}, {p.Roles, "roles"}, {p.Users, "users"}, {p.Vendors, "vendors"},
		{p.Organizations, "organizations"}, {p.Members, "members"}, {p.APIKeys, "API keys"}, {p.Grants, "roles at organizations"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// open gives a directory on the database. Nobody signs in here, so that its key
// is one that nobody needs.
func open(ctx context.Context, db, realm string) (*usermgmt.Manager, error) {
	key, err := usermgmt.GenerateSigningKey(nil)
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, db)
	if err != nil {
		return nil, err
	}
	m, err := usermgmt.New(s, usermgmt.Options{Realm: usermgmt.Realm(realm), SigningKeys: []usermgmt.SigningKey{key}})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return m, nil
}

func openStore(ctx context.Context, db string) (store.Store, error) {
	switch {
	case isPostgres(db):
		return pgstore.Open(ctx, db, nil)
	case strings.Contains(db, "://"):
		return nil, errors.New("only PostgreSQL is known behind a URL")
	}
	return sqlitestore.Open(ctx, db, nil)
}

func isPostgres(db string) bool {
	return strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://")
}

// withoutPassword is the name of a database as it may be shown.
func withoutPassword(db string) string {
	if u, err := url.Parse(db); err == nil && u.User != nil {
		return u.Redacted()
	}
	return db
}
