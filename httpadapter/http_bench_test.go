package httpadapter

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/load"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
)

// These benchmarks compare the adapter on an SQLite file with bare handlers that
// do the least there is to do for the same answer, over loopback connections
// and with the same load. What counts is the ratio of req/s in one run:
//
//	go test -run '^$' -bench HTTP -benchtime 20000x ./httpadapter

// serve listens on a loopback address for the time of the benchmark.
func serve(b *testing.B, h http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// drive sends b.N requests and reports their rate.
func drive(b *testing.B, h http.Handler, connections, status int, request func(n int) []byte) {
	b.Helper()
	addr := serve(b, h)
	b.ResetTimer()
	result, err := load.Run(b.Context(), load.Plan{Addr: addr, Connections: min(connections, b.N), Requests: b.N, Status: status, Request: request})
	require.NoError(b, err)
	b.ReportMetric(result.PerSecond(), "req/s")
	b.ReportMetric(float64(result.P99.Microseconds()), "p99-us")
}

// fileSite is an Adapter on an SQLite file with an administrator, whose token
// comes with it.
func fileSite(b *testing.B) (*Adapter, *usermgmt.Manager, string) {
	b.Helper()
	s, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), "users.db"), nil)
	require.NoError(b, err)
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(b, err)
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, AccessTokenTTL: time.Hour, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	b.Cleanup(func() { _ = m.Close() })
	populate(b, m)
	a, err := New(m, Options{})
	require.NoError(b, err)
	tokens, err := m.SignIn(b.Context(), "root@example.com", passphrase)
	require.NoError(b, err)
	return a, m, tokens.AccessToken
}

func get(path, token string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n")
}

// answerTo is what h answers to a GET.
func answerTo(b *testing.B, h http.Handler, path, token string) []byte {
	b.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	require.Equal(b, 200, rec.Code, rec.Body.String())
	return rec.Body.Bytes()
}

func writeJSON(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// BenchmarkHTTPGet: a user by id with a bearer token, beside a handler that serves
// the same bytes from a map.
func BenchmarkHTTPGet(b *testing.B) {
	a, _, token := fileSite(b)
	path := "/auth/users/" + string(bob)
	body := answerTo(b, a, path, token)
	users := map[string][]byte{string(bob): body}
	bare := http.NewServeMux()
	bare.HandleFunc("GET /auth/users/{locator}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, users[r.PathValue("locator")])
	})
	request := get(path, token)
	for _, h := range []struct {
		name string
		http.Handler
	}{{"bare", bare}, {"adapter", a}} {
		b.Run(h.name, func(b *testing.B) { drive(b, h.Handler, 16, 200, func(int) []byte { return request }) })
	}
}

// BenchmarkHTTPPost: the creation of a user without a password, durable, from 64
// connections, beside a handler that commits the same row by group commit.
func BenchmarkHTTPPost(b *testing.B) {
	request := func(token string) func(int) []byte {
		run := uuid.NewString()
		return func(n int) []byte {
			body := fmt.Sprintf(`{"firstName":"Eve","lastName":"Moneypenny","userName":"eve-%d-%s@example.com","email":"eve-%d-%s@mail.example"}`, n, run, n, run)
			return fmt.Appendf(nil, "POST /auth/users HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
		}
	}
	b.Run("bare", func(b *testing.B) {
		g := newGroupCommit(b)
		drive(b, http.HandlerFunc(g.create), 64, 200, request("token"))
	})
	b.Run("adapter", func(b *testing.B) {
		a, _, token := fileSite(b)
		drive(b, a, 64, 200, request(token))
	})
}

// groupCommit is the least that creates users durably: rows of many requests in
// one transaction, with the same unique columns.
type groupCommit struct {
	queue chan groupRow
}

type groupRow struct {
	id, username, email string
	data                []byte
	done                chan error
}

func newGroupCommit(b *testing.B) *groupCommit {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	require.NoError(b, err)
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE users (realm TEXT, id TEXT, username TEXT, email TEXT, data BLOB, PRIMARY KEY (realm, id)) WITHOUT ROWID;
		CREATE UNIQUE INDEX by_username ON users (realm, username);
		CREATE UNIQUE INDEX by_email ON users (realm, email)`)
	require.NoError(b, err)
	insert, err := db.Prepare(`INSERT INTO users VALUES ('main', ?, ?, ?, ?)`)
	require.NoError(b, err)
	g := &groupCommit{queue: make(chan groupRow, 256)}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for first := range g.queue {
			g.commit(db, insert, g.gather(first))
		}
	}()
	b.Cleanup(func() {
		close(g.queue)
		<-stopped
		_ = db.Close()
	})
	return g
}

// gather takes what waits.
func (g *groupCommit) gather(first groupRow) []groupRow {
	rows := []groupRow{first}
	for {
		select {
		case row, ok := <-g.queue:
			if !ok {
				return rows
			}
			rows = append(rows, row)
		default:
			return rows
		}
	}
}

func (g *groupCommit) commit(db *sql.DB, insert *sql.Stmt, rows []groupRow) {
	tx, err := db.Begin()
	if err == nil {
		s := tx.Stmt(insert)
		for _, row := range rows {
			if _, err = s.Exec(row.id, row.username, row.email, row.data); err != nil {
				break
			}
		}
		if err == nil {
			err = tx.Commit()
		} else {
			_ = tx.Rollback()
		}
	}
	for _, row := range rows {
		row.done <- err
	}
}

// bareUser has the members of the dialect's answer.
type bareUser struct {
	Locator     string   `json:"locator"`
	FirstName   string   `json:"firstName"`
	LastName    string   `json:"lastName"`
	UserName    string   `json:"userName"`
	Tenants     []string `json:"tenants"`
	Email       string   `json:"email,omitempty"`
	Permissions []string `json:"permissions"`
	Roles       []string `json:"roles"`
	Service     bool     `json:"serviceAccount"`
}

func (g *groupCommit) create(w http.ResponseWriter, r *http.Request) {
	u := bareUser{Tenants: []string{}, Permissions: []string{}, Roles: []string{}}
	err := json.NewDecoder(r.Body).Decode(&u)
	u.Locator = uuid.Must(uuid.NewV7()).String()
	body, marshalErr := json.Marshal(u)
	if err == nil && marshalErr == nil {
		row := groupRow{u.Locator, strings.ToLower(u.UserName), strings.ToLower(u.Email), body, make(chan error, 1)}
		g.queue <- row
		err = <-row.done
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, body)
}

// BenchmarkHTTPList: 100 users of 100,000, beside a handler that reads the same
// page by its key and encodes the same bytes.
func BenchmarkHTTPList(b *testing.B) {
	const users, offset, count = 100_000, 0, 100
	a, m, token := fileSite(b)
	var snapshot usermgmt.Snapshot
	for i := range users {
		email := fmt.Sprintf("user-%06d@example.com", i)
		first, last := "First", "Last"
		snapshot.Users = append(snapshot.Users, usermgmt.SnapshotUser{
			ID: usermgmt.UserID(fmt.Sprintf("0192c000-0000-7000-8000-%012d", i)), Username: email, Email: &email, FirstName: &first, LastName: &last,
		})
	}
	require.NoError(b, m.Apply(b.Context(), snapshot))
	path := fmt.Sprintf("/auth/users/list?offset=%d&count=%d", offset, count)
	want := answerTo(b, a, path, token)

	bare, err := newKeysetPage(b, m, count)
	require.NoError(b, err)
	require.True(b, bytes.Equal(want, answerTo(b, bare, path, token)), "the same bytes")
	request := get(path, token)
	for _, h := range []struct {
		name string
		http.Handler
	}{{"bare", bare}, {"adapter", a}} {
		b.Run(h.name, func(b *testing.B) { drive(b, h.Handler, 16, 200, func(int) []byte { return request }) })
	}
}

// newKeysetPage copies the users to a bare table and returns a handler of its first page.
func newKeysetPage(b *testing.B, m *usermgmt.Manager, count int) (http.Handler, error) {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	b.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec(`CREATE TABLE users (id TEXT PRIMARY KEY, first TEXT, last TEXT, username TEXT, email TEXT, role TEXT) WITHOUT ROWID`); err != nil {
		return nil, err
	}
	tx, err := db.Begin()
	if err != nil {
		return nil, err
	}
	after := ""
	for {
		page, err := m.Users(b.Context(), usermgmt.UserList{Page: usermgmt.Page{After: after, Limit: usermgmt.MaxPage}})
		if err != nil {
			return nil, err
		}
		for _, u := range page.Items {
			role := ""
			if len(u.Grants) > 0 {
				role = "admin"
			}
			if _, err := tx.Exec(`INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)`, string(u.ID), u.FirstName, u.LastName, u.Username, u.Email, role); err != nil {
				return nil, err
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	page, err := db.PrepareContext(context.Background(), `SELECT id, first, last, username, email, role FROM users WHERE id > ? ORDER BY id LIMIT ?`)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		users, err := readPage(page, count)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body, err := json.Marshal(struct {
			Completed bool       `json:"listCompleted"`
			Items     []bareUser `json:"items"`
		}{false, users})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeJSON(w, body)
	}), nil
}

func readPage(page *sql.Stmt, count int) ([]bareUser, error) {
	rows, err := page.Query("", count)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	users := make([]bareUser, 0, count)
	for rows.Next() {
		u := bareUser{Tenants: []string{}, Permissions: []string{}, Roles: []string{}}
		var role string
		if err := rows.Scan(&u.Locator, &u.FirstName, &u.LastName, &u.UserName, &u.Email, &role); err != nil {
			return nil, err
		}
		if role != "" {
			u.Roles = append(u.Roles, role)
		}
		users = append(users, u)
	}
	return users, rows.Err()
}
