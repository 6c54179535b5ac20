package mspcentric

import (
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

// session makes a session and returns its code.
func (w *world) session(t testing.TB, client, token string) string {
	t.Helper()
	status, body := w.do(t, client, "POST", sessions, call{"organizationOemToken": token})
	require.Equal(t, 201, status, body)
	var res sessionResponse
	require.NoError(t, json.Unmarshal([]byte(body), &res))
	u, err := url.Parse(res.RedirectURL)
	require.NoError(t, err)
	return u.Query().Get("code")
}

// TestCodesWorkOnce: of many who bring the same code one gets in, within five
// minutes.
func TestCodesWorkOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		code, late := w.session(t, partner, w.tokens["pia"]), w.session(t, partner, w.tokens["pia"])
		require.NotEqual(t, code, late)
		const racers = 16
		errs := make([]error, racers)
		var wait sync.WaitGroup
		for i := range racers {
			wait.Go(func() { _, _, errs[i] = w.RedeemCode(t.Context(), code) })
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.ErrorIs(t, err, usermgmt.ErrUsed)
		}
		require.Equal(t, 1, won)

		w.now = w.now.Add(5 * time.Minute)
		_, _, err := w.RedeemCode(t.Context(), late)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
	})
}

// TestRedirect: the URL comes from the host's configuration, whatever a request
// says.
func TestRedirect(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		w := newWorldWith(t, open(), func(o *usermgmt.Options) { o.RedirectURL = "https://app.example/enter?from=oem#top" })
		for _, hostile := range []string{"evil.example", "app.example@evil.example", "app.example:80", "//evil.example", "javascript:alert(1)", "", "evil.example\\", "[::1]"} {
			r := w.request(t, partner, "POST", sessions, call{"organizationOemToken": w.tokens["pia"], "redirectUrl": "https://" + hostile})
			r.Host = hostile
			for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL", "Forwarded", "Origin", "Referer"} {
				r.Header.Set(name, hostile)
			}
			rec := w.Serve(r)
			require.Equal(t, http.StatusCreated, rec.Code)
			require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
			require.Regexp(t, `"redirectUrl":"https://app\.example/enter\?from=oem&code=umc_[A-Za-z0-9_-]{43}#top"`, rec.Body.String(), hostile)
		}
	})
}
