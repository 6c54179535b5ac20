// Package pgtest gives tests a PostgreSQL to run on.
//
//	func TestInvoices(t *testing.T) {
//		t.Parallel()
//		s, err := pgstore.Open(t.Context(), pgtest.URL(t), nil)
//		...
//	}
//
// The server is the one that USERMGMT_POSTGRES_URL names, whose user must have
// the right to create databases. Without that it is a throw-away cluster of the
// programs on this machine (version 13 or later, on Unix), which need not be set
// up in any way: Debian's package postgresql is enough. They are looked for in
// PATH, where pg_config says, and where Debian puts them. One cluster serves a
// test binary. It lies in a folder below [os.TempDir], listens on a socket in
// that folder which nobody else can reach, and ends with the binary, however
// that ends. A superuser's tests run it as the system's user "postgres", or
// "nobody".
//
// Without either, tests are skipped, or fail if USERMGMT_REQUIRE_POSTGRES is 1.
//
// Databases of a throw-away cluster sort text by a language's rules (en-US)
// where PostgreSQL can do so, as databases in production do: what needs the
// order of bytes has to say so.
package pgtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"
)

const (
	serverVariable  = "USERMGMT_POSTGRES_URL"
	requireVariable = "USERMGMT_REQUIRE_POSTGRES"
)

// patience bounds every wait for a server of this machine.
const patience = time.Minute

// errNone: there is no PostgreSQL to be had.
var errNone = errors.New("no PostgreSQL: install it (Debian: apt-get install postgresql) or name a server in " + serverVariable)

// shared holds the databases of the test binary. A variable of the package is
// what lets tests of all files share one cluster, started by the first that
// wants it, without a TestMain in each package; the cluster's guard ends it.
var shared = sync.OnceValues(func() (*databases, error) {
	if url := os.Getenv(serverVariable); url != "" {
		return &databases{url: url}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := start(ctx, Config{})
	if err != nil {
		return nil, err
	}
	return &databases{url: s.URL("postgres"), own: s}, nil
})

// URL returns the connection URL of an empty database for this test alone, which
// is gone when the test ends. A connection to it that is still open then fails
// the test: register what closes it after the call of URL. The test is skipped
// or fails where there is no PostgreSQL. Tests may call URL in parallel, and
// more than once.
//
// On a server of USERMGMT_POSTGRES_URL, a test that is killed leaves its
// database behind; the names begin with usermgmt_test_.
func URL(t testing.TB) string {
	t.Helper()
	d, err := shared()
	had(t, err, os.Getenv(requireVariable) == "1")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	name, err := d.take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.giveBack(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return withDatabase(d.url, name)
}

// had ends the test if err says that there is no server: it is skipped if there
// is no PostgreSQL and none is required, and fails otherwise.
func had(t testing.TB, err error, required bool) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errNone) && !required:
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}
