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
