package sqlitestore

import (
	"context"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/usermgmt-go/usermgmt/store"
)

// applicationID marks files that this package has made ("usrm").
const applicationID = 0x7573726d

// migrations are numbered from 1 without gaps, and frozen once released.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migration returns the text of the n-th migration; ok is false past the last.
func migration(n int64) (text string, ok bool) {
	found, err := migrations.ReadDir("migrations")
	if err != nil || n > int64(len(found)) {
		return "", false
	}
	b, err := migrations.ReadFile("migrations/" + found[n-1].Name())
	return string(b), err == nil
}

// create makes the file for its owner alone to read: it will hold the digests
// of secrets. It never has the file open under its name, since closing it would
// end the locks that another connection of this process may have on it. Where
// this fails SQLite makes the file in its own way, or says why it cannot.
func create(path string) {
	if _, err := os.Lstat(path); err == nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-new-*") // mode 0600
	if err != nil {
		return
	}
	f.Close()
	_ = os.Link(f.Name(), path)
	_ = os.Remove(f.Name())
}

// probe refuses a file that is not for this package before anything can write
// to it, and a place where there can be none. It leaves what it cannot tell to
// migrate.
func (o *Options) probe(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err := os.Stat(filepath.Dir(path))
		return err
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	case err != nil || info.Size() == 0:
		return nil
	}
	c, err := openConn(o.dsn(path, "mode=ro"), names(o.TablePrefix))
	if err != nil {
		if err = translate(err); errors.Is(err, store.ErrSchema) {
			return err
		}
		return nil
	}
	defer c.close()
	if _, err = o.inspect(c); errors.Is(err, store.ErrSchema) {
		return err
	}
	return nil
}

// schemaState is what a file holds.
type schemaState struct {
	number int64 // of the last migration, 0 for none
	empty  bool  // neither marked as anybody's nor with any table in it
}

// inspect finds out whose the file is. A file with a foreign application id is
// refused; one without, such as a host's own database, takes our tables beside
// its own and stays unmarked.
func (o *Options) inspect(c *conn) (st schemaState, err error) {
	row, err := c.first("PRAGMA application_id")
	if err != nil {
		return st, err
	}
	id := int32(number(row[0]))
	if id != 0 && id != applicationID && id != o.ApplicationID {
		return st, fmt.Errorf("sqlitestore: %w: the file belongs to application %#x", store.ErrSchema, uint32(id))
	}
	row, err = c.first("SELECT count(*), sum(type='table' AND name=?) FROM sqlite_schema", o.TablePrefix+"schema")
	if err != nil {
		return st, err
	}
	st.empty = id == 0 && number(row[0]) == 0
	if number(row[1]) == 0 {
		return st, nil
	}
	row, err = c.first("SELECT max(number) FROM {schema}")
	if err != nil {
		return st, fmt.Errorf("sqlitestore: %w: %w", store.ErrSchema, err)
	}
	st.number = number(row[0])
	if _, ok := migration(st.number + 1); !ok && st.number > 0 {
		if _, ok := migration(st.number); !ok {
			return st, fmt.Errorf("sqlitestore: %w: the data was written by a newer release (schema %d)", store.ErrSchema, st.number)
		}
	}
	return st, nil
}

// migrate applies the migrations that the file lacks, each in a transaction of
// its own. Of several processes that do so at once one goes ahead.
func (o *Options) migrate(ctx context.Context, c *conn) error {
	for {
		st, err := o.inspect(c)
		if err != nil {
			return err
		}
		if _, ok := migration(st.number + 1); !ok {
			return nil
		}
		if _, err := c.execContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			c.broken = nil
			_, _ = c.exec("ROLLBACK")
			c.broken = nil
			return errors.Join(ctx.Err(), err)
		}
		err = o.step(c)
		if err == nil {
			_, err = c.exec("COMMIT")
		}
		if err != nil {
			c.broken = nil
			_, _ = c.exec("ROLLBACK")
			c.broken = nil
			return err
		}
	}
}

// step applies one migration, if there is still one to apply.
func (o *Options) step(c *conn) error {
	st, err := o.inspect(c)
	if err != nil {
		return err
	}
	script, ok := migration(st.number + 1)
	if !ok {
		return nil
	}
	if st.empty {
		if _, err := c.exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	if _, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), c.names.Replace(script), nil); err != nil {
		if code(err) == sqlite3.SQLITE_ERROR {
			// Such as a table of the host's that has the name of one of ours.
			return fmt.Errorf("sqlitestore: %w: %w", store.ErrSchema, err)
		}
		return translate(err)
	}
	_, err = c.exec("INSERT INTO {schema} (number, applied_at) VALUES (?, ?)", st.number+1, time.Now().UnixMicro())
	return err
}
