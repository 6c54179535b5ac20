package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
)

var errSoldOut = errors.New("sold out")

// shop has tables of its own beside those of the directory.
type shop struct {
	db *sql.DB
	m  *usermgmt.Manager
}

// openShop opens the shop's own connections to the file. Package sqlitestore
// links the driver "sqlite"; any other one of SQLite would do.
func openShop(ctx context.Context, file string, m *usermgmt.Manager) (*shop, error) {
	// A transaction that has read before somebody else has written can no longer
	// write, unless it has taken the lock when it began.
	db, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `
		CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, pieces INTEGER NOT NULL);
		CREATE TABLE IF NOT EXISTS orders (
			number INTEGER PRIMARY KEY,
			customer TEXT NOT NULL, -- a user's id
			item TEXT NOT NULL REFERENCES stock
		);
		INSERT INTO stock VALUES ('lamp', 1) ON CONFLICT DO NOTHING`)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("shop in %s: %w", file, err), db.Close())
	}
	return &shop{db, m}, nil
}

func (s *shop) Close() error { return s.db.Close() }

// firstOrder makes an account for a new customer, with his first order, and
// returns its number. If there is no piece left, nothing of either remains.
func (s *shop) firstOrder(ctx context.Context, email, item string) (int64, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // does nothing after the commit

	customer, err := s.m.With(sqlitestore.In(tx, nil)).CreateUser(ctx, usermgmt.NewUser{Username: email, Email: email})
	if err != nil {
		return 0, err
	}
	taken, err := tx.ExecContext(ctx, `UPDATE stock SET pieces = pieces - 1 WHERE item = ? AND pieces > 0`, item)
	if err != nil {
		return 0, err
	}
	if n, err := taken.RowsAffected(); err != nil || n == 0 {
		return 0, errors.Join(err, errSoldOut)
	}
	ordered, err := tx.ExecContext(ctx, `INSERT INTO orders (customer, item) VALUES (?, ?)`, string(customer.ID), item)
	if err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	return ordered.LastInsertId()
}

// count writes down what there is.
func (s *shop) count(ctx context.Context, out io.Writer) error {
	var orders int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&orders); err != nil {
		return err
	}
	users, err := s.m.Users(ctx, usermgmt.UserList{})
	if err != nil {
		return err
	}
	events, err := s.m.Events(ctx, usermgmt.Page{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  orders %d, users %d, events %d\n", orders, len(users.Items), len(events.Items))
	return nil
}
