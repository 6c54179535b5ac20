package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/usermgmt-go/usermgmt"
)

// The demo's administrator. His password is public, so he is created on
// loopback addresses alone.
const (
	demoAdmin    = "admin@example.com"
	demoPassword = "demo password 42"
)

// demoData is a Snapshot in which every line of docs/dialects works.
//
//go:embed demo.json
var demoData string

// seed applies the Snapshot in the file, or without one the demo data to an
// empty directory.
func seed(ctx context.Context, m *usermgmt.Manager, file string, addr net.Addr) error {
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("-apply: %w", err)
		}
		defer f.Close()
		return apply(ctx, m, file, f)
	}
	users, err := m.Users(ctx, usermgmt.UserList{Page: usermgmt.Page{Limit: 1}})
	if err != nil || len(users.Items) > 0 {
		return err
	}
	if tcp, ok := addr.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return errors.New("the directory is empty: name a Snapshot with -apply (demo data is for loopback addresses alone)")
	}
	return apply(ctx, m, "demo data", strings.NewReader(demoData))
}

func apply(ctx context.Context, m *usermgmt.Manager, name string, r io.Reader) error {
	s, err := usermgmt.ParseSnapshot(r)
	if err == nil {
		err = m.Apply(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("apply %s: %w", name, err)
	}
	return nil
}

// printTour prints a curl line for each dialect, if the demo's administrator
// is there to make them work.
func printTour(ctx context.Context, m *usermgmt.Manager, out io.Writer, base string) error {
	admin, err := m.UserByUsername(ctx, demoAdmin)
	if errors.Is(err, usermgmt.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if ok, err := m.VerifyPassword(ctx, admin.ID, demoPassword); err != nil || !ok {
		return err
	}
	signIn := fmt.Sprintf(`curl -s %s/session -d '{"username":"%s","password":"%s"}' -H 'Content-Type: application/json'`, base, demoAdmin, demoPassword)
	token := fmt.Sprintf(`$(%s | sed 's/.*"access_token":"\([^"]*\)".*/\1/')`, signIn)
	fmt.Fprintf(out, "\nsign in:\n  %s\n", signIn)
	fmt.Fprintf(out, "\nSocotra users and roles:\n  curl -s %s/auth/users/list -H \"Authorization: Bearer %s\"\n\n", base, token)
	return nil
}
