// Existing-server is an application that had its own page, table and routes
// before it took in a user directory: invoices, kept in an SQLite file.
//
//	go run ./examples/existing-server
//
// Olga owns Acme (olga@acme.example, "demo password 51") and sees its invoices;
// Bert keeps the books (bert@acme.example, "demo password 52") and approves them.
// The partner is the client "partner", whose secret is "partner secret 53".
//
// The directory lives in the same file. Two of its dialects are served below
// /directory; the application's own routes ask it who is there and what he
// may do. A partner's users come in through /enter by a one-time code.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
)

// people are a few users, an organization and a partner. Their passwords are
// public, so this program listens on loopback addresses alone.
//
//go:embed people.json
var people string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "existing-server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("existing-server", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8081", "loopback `address` to listen on")
	db := flags.String("db", "invoices.db", "SQLite `file`, the application's own")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return fmt.Errorf("%s is no loopback address", *addr)
	}
	base := "http://" + listener.Addr().String()

	books, err := openLedger(ctx, *db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, books.Close()) }()
	m, err := openDirectory(ctx, *db, base+"/enter")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	handler, err := newSite(m, books)
	if err != nil {
		return err
	}

	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Fprintf(out, "invoices at %s\n", base)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// openDirectory opens the user directory in the application's file and brings it
// to what people states.
func openDirectory(ctx context.Context, file, landing string) (*usermgmt.Manager, error) {
	key, err := usermgmt.GenerateSigningKey(nil) // a new one at each start signs everybody out
	if err != nil {
		return nil, err
	}
	s, err := sqlitestore.Open(ctx, file, &sqlitestore.Options{TablePrefix: "directory_"})
	if err != nil {
		return nil, err
	}
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, AccessTokenTTL: signedInFor, RedirectURL: landing,
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	snapshot, err := usermgmt.ParseSnapshot(strings.NewReader(people))
	if err == nil {
		err = m.Apply(ctx, snapshot)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// newSite returns the application's routes, among them those of the directory.
func newSite(m *usermgmt.Manager, books *ledger) (http.Handler, error) {
	adapter, err := httpadapter.New(m, httpadapter.Options{
		Prefix:   "/directory",
		Dialects: []httpadapter.Dialect{httpadapter.MSPCentric, httpadapter.OrganizationUser},
		Logger:   slog.Default(),
	})
	if err != nil {
		return nil, err
	}
	s := &site{m: m, books: books}
	inOrganization := func(r *http.Request) usermgmt.Scope {
		return usermgmt.InOrganization(usermgmt.OrganizationID(r.PathValue("organization")))
	}
	mayRead := adapter.Require(usermgmt.OrganizationsRead, inOrganization)
	mayApprove := adapter.Require(invoicesApprove, inOrganization)

	byCookie := func(next http.Handler) http.Handler { return httpadapter.FromCookie(cookieName, next) }

	mux := http.NewServeMux()
	mux.Handle("/directory/", adapter)
	mux.Handle("GET /enter", adapter.Landing(s.welcome))
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.Handle("POST /sign-out", byCookie(adapter.Authenticate(http.HandlerFunc(s.signOut))))
	mux.HandleFunc("GET /{$}", s.signInPage)
	mux.Handle("GET /home", byCookie(adapter.Authenticate(http.HandlerFunc(s.home))))
	mux.Handle("GET /organizations/{organization}/invoices", byCookie(mayRead(http.HandlerFunc(s.invoices))))
	mux.Handle("POST /organizations/{organization}/invoices/{number}/approval", byCookie(mayApprove(http.HandlerFunc(s.approve))))
	// A cookie comes along with forms of other sites, so these are kept out.
	return http.NewCrossOriginProtection().Handler(mux), nil
}
