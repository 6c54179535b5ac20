package httpadapter

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
)

// soaker makes requests over connections of its own.
type soaker struct {
	base   string
	client *http.Client
	asked  *atomic.Int64
}

// do makes a request, whose answer must have one of the statuses, and decodes it
// into members.
func (s *soaker) do(ctx context.Context, token, method, path, body string, header http.Header, statuses ...int) (map[string]any, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, reader)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	s.asked.Add(1)
	res, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(statuses, res.StatusCode) {
		return nil, fmt.Errorf("%s %s is answered %d: %.300s", method, path, res.StatusCode, text)
	}
	members := map[string]any{}
	if strings.HasPrefix(string(text), "{") {
		err = json.Unmarshal(text, &members)
	}
	return members, err
}

// word is a member of an answer, empty if it is none or no text.
func word(m map[string]any, name string) string {
	text, _ := m[name].(string)
	return text
}

// refresh spends the refresh token and returns the new tokens.
func (s *soaker) refresh(ctx context.Context, tokens map[string]any) (map[string]any, error) {
	return s.do(ctx, "", "POST", "/session/refresh", fmt.Sprintf(`{"refresh_token": %q}`, word(tokens, "refresh_token")), nil, 200)
}

// live is one user's life: he is created, signs in, looks around, becomes a member
// of an organization, changes his password, signs out and is deleted, each by
// whoever may, in three dialects. Nothing of him stays.
func (s *soaker) live(ctx context.Context, root, name string) error {
	const first, second = "seven lamps 31", "eight lamps 32"
	signIn := func(password string, statuses ...int) (map[string]any, error) {
		return s.do(ctx, "", "POST", "/session", fmt.Sprintf(`{"username": "%s@example.com", "password": %q}`, name, password), nil, statuses...)
	}
	made, err := s.do(ctx, root, "POST", "/auth/users", fmt.Sprintf(`{"firstName": "N", "lastName": "N", "userName": "%s@example.com", "email": "%s@mail.example", "password": %q}`, name, name, first), nil, 200)
	if err != nil {
		return err
	}
	path := "/auth/users/" + word(made, "locator")
	if _, err := signIn("wrong", 400, 429); err != nil {
		return err
	}
	tokens, err := signIn(first, 200)
	if err != nil {
		return err
	}
	access := word(tokens, "access_token")
	org := http.Header{"Organization-Id": {"acme"}}
	for _, step := range []struct {
		token, method, path, body string
		header                    http.Header
		status                    int
	}{
		{access, "GET", "/auth/users/whoami", "", nil, 200},
		{access, "GET", path, "", nil, 200},
		{access, "GET", "/auth/users/list", "", nil, 403},
		{root, "GET", "/auth/users/list?count=5", "", nil, 200},
		{root, "POST", "/organization-user", fmt.Sprintf(`{"email": "%s@mail.example", "role": "member"}`, name), org, 201},
		{access, "GET", "/organization-user/" + word(made, "locator"), "", org, 200},
		{root, "PUT", "/organization-user", fmt.Sprintf(`{"user_id": %q, "role": "reader"}`, word(made, "locator")), org, 200},
		{root, "GET", "/api/users?size=2", "", nil, 200},
		{root, "PATCH", path + "/roles", `{"addRoles": ["read-only"], "removeRoles": []}`, nil, 200},
		{access, "GET", "/auth/users/list?count=5", "", nil, 200},
		{access, "GET", "/nowhere", "", nil, 404},
	} {
		if _, err := s.do(ctx, step.token, step.method, step.path, step.body, step.header, step.status); err != nil {
			return err
		}
	}
	if tokens, err = s.refresh(ctx, tokens); err != nil {
		return err
	}
	access = word(tokens, "access_token")
	if tokens, err = s.do(ctx, access, "PUT", "/session/password", fmt.Sprintf(`{"password": %q, "new_password": %q}`, first, second), nil, 200); err != nil {
		return err
	}
	if _, err := s.do(ctx, access, "GET", "/auth/users/whoami", "", nil, 401); err != nil {
		return err // the change ended what was before
	}
	access = word(tokens, "access_token")
	if _, err := s.do(ctx, access, "DELETE", "/session", "", nil, 204); err != nil {
		return err
	}
	if _, err := signIn(second, 200); err != nil {
		return err
	}
	if _, err := s.do(ctx, root, "DELETE", path, "", nil, 200); err != nil {
		return err
	}
	_, err = signIn(second, 400, 429)
	return err
}

// TestSoak: many lives later the process holds what it held before, and so does
// the directory. At night it goes on for an hour, or as long as the test binary
// may run. It does not run beside other tests: what it measures is the process's.
func TestSoak(t *testing.T) {
	ctx := t.Context()
	f := newFront(t, cheapHash, 2, 1)
	_, err := f.m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: root})
	require.NoError(t, err)
	lives := int64(tier.Count(16, 160, math.MaxInt, math.MaxInt))
	end := time.Now().Add(time.Duration(tier.Count(60, 60, 60, 24*60)) * time.Minute)
	if limit, ok := t.Deadline(); ok && limit.Add(-2*time.Minute).Before(end) {
		end = limit.Add(-2 * time.Minute)
	}
	begin := time.Now()
	before := held(t)

	const workers = 8
	var begun, asked atomic.Int64
	var middle usage
	var once sync.Once
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for range workers {
		transport := &http.Transport{}
		s := &soaker{base: "http://" + f.addr, client: &http.Client{Transport: transport, Timeout: patience}, asked: &asked}
		wg.Go(func() {
			defer transport.CloseIdleConnections()
			errs <- func() error {
				admin, err := s.do(ctx, "", "POST", "/session", `{"username": "root@example.com", "password": "`+passphrase+`"}`, nil, 200)
				if err != nil {
					return err
				}
				for own := 1; ; own++ {
					n := begun.Add(1)
					if n > lives || time.Now().After(end) {
						return nil
					}
					if err := s.live(ctx, word(admin, "access_token"), fmt.Sprintf("user-%d", n)); err != nil {
						return fmt.Errorf("life %d: %w", n, err)
					}
					if own%10 == 0 { // what clients and a host do now and then
						if admin, err = s.refresh(ctx, admin); err != nil {
							return err
						}
						if _, err := f.m.Sweep(ctx, 1_000); err != nil {
							return err
						}
						if _, err := f.m.DropEvents(ctx, math.MaxInt64); err != nil {
							return err
						}
					}
					if n > lives/2 || time.Since(begin) > end.Sub(begin)/2 {
						once.Do(func() { middle = held(t) })
					}
				}
			}()
		})
	}
	wg.Wait()
	for range workers {
		require.NoError(t, <-errs)
	}
	lived := min(begun.Load()-workers, lives)
	t.Logf("%d lives, %d requests in %v", lived, asked.Load(), time.Since(begin).Round(time.Millisecond))
	require.Positive(t, lived)
	require.Less(t, middle.files, before.files+3*workers, "files in the midst of it")

	users, err := f.m.Users(ctx, usermgmt.UserList{})
	require.NoError(t, err)
	require.Len(t, users.Items, 3, "nobody stays")
	members, err := f.m.Members(ctx, "acme", usermgmt.MemberList{})
	require.NoError(t, err)
	require.Len(t, members.Items, 1)
	t.Logf("in the midst of it: %+v", middle)
	settle(t, before, 64<<20)
	if tier.Count(0, 0, 1, 1) == 1 {
		require.Less(t, held(t).heap, middle.heap+8<<20, "memory that grows with time")
	}
}
