package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	_ "modernc.org/sqlite" // the driver of the application's own table
)

// invoice is a row of the application's own table.
type invoice struct {
	Number     int64  `json:"number"`
	Subject    string `json:"subject"`
	Cents      int64  `json:"cents"`
	ApprovedBy string `json:"approvedBy,omitempty"` // a user's id
}

// errNoInvoice: there is none of that number in the organization, or it is
// approved already.
var errNoInvoice = errors.New("no such invoice to approve")

// ledger keeps invoices. Nothing in it knows users but by their ids.
type ledger struct {
	db *sql.DB
}

func openLedger(ctx context.Context, file string) (*ledger, error) {
	// The directory will keep password hashes in it.
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `
		CREATE TABLE IF NOT EXISTS invoices (
			number INTEGER PRIMARY KEY,
			organization TEXT NOT NULL,
			subject TEXT NOT NULL,
			cents INTEGER NOT NULL,
			approved_by TEXT NOT NULL DEFAULT ''
		);
		INSERT INTO invoices (number, organization, subject, cents) VALUES
			(1, 'acme', 'Paper', 1990), (2, 'acme', 'Ink', 4200), (3, 'other', 'Secrets', 100)
		ON CONFLICT DO NOTHING`)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("invoices in %s: %w", file, err), db.Close())
	}
	return &ledger{db}, nil
}

func (l *ledger) Close() error { return l.db.Close() }

func (l *ledger) list(ctx context.Context, organization string) ([]invoice, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT number, subject, cents, approved_by FROM invoices WHERE organization = ? ORDER BY number`, organization)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	invoices := []invoice{}
	for rows.Next() {
		var i invoice
		if err := rows.Scan(&i.Number, &i.Subject, &i.Cents, &i.ApprovedBy); err != nil {
			return nil, err
		}
		invoices = append(invoices, i)
	}
	return invoices, rows.Err()
}

// approve notes who approved an invoice of the organization, once.
func (l *ledger) approve(ctx context.Context, organization, number, user string) error {
	res, err := l.db.ExecContext(ctx, `UPDATE invoices SET approved_by = ? WHERE organization = ? AND number = ? AND approved_by = ''`, user, organization, number)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = errNoInvoice
	}
	return err
}
