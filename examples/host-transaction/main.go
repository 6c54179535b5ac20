// Host-transaction is a shop whose customers are users of the directory. A new
// customer's account and his first order come to be together or not at all: the
// directory joins the shop's own transaction, on the same SQLite file.
//
//	go run ./examples/host-transaction
//
// The first order commits. The second one finds the shelf empty, after its
// account was made: neither is there in the end, nor an event that tells of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
)

func main() {
	dir, err := os.MkdirTemp("", "shop-*")
	if err != nil {
		log.Fatal(err)
	}
	err = run(context.Background(), filepath.Join(dir, "shop.db"), os.Stdout)
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
}

// run sells one lamp to two new customers.
func run(ctx context.Context, file string, out io.Writer) (err error) {
	m, err := openDirectory(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	s, err := openShop(ctx, file, m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	for _, email := range []string{"ada@example.com", "bert@example.com"} {
		number, err := s.firstOrder(ctx, email, "lamp")
		switch {
		case errors.Is(err, errSoldOut):
			fmt.Fprintf(out, "%s: %v\n", email, err)
		case err != nil:
			return err
		default:
			fmt.Fprintf(out, "%s: order %d\n", email, number)
		}
		if err := s.count(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// openDirectory opens the user directory in the shop's file.
func openDirectory(ctx context.Context, file string) (*usermgmt.Manager, error) {
	key, err := usermgmt.GenerateSigningKey(nil) // a shop that signs people in keeps it
	if err != nil {
		return nil, err
	}
	s, err := sqlitestore.Open(ctx, file, nil)
	if err != nil {
		return nil, err
	}
	m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return m, nil
}
