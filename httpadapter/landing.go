package httpadapter

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Landing serves the address that [usermgmt.Options].RedirectURL names, to which
// vendors' users come with a one-time code in the query parameter "code". It
// redeems the code and hands over to signedIn, which keeps the access token, in
// a cookie for instance, and answers. [ActorFrom] tells it who came: that user in
// that organization alone (see [usermgmt.Actor.Confined]), which is also what the
// tokens are good for.
//
//	mux.Handle("GET /enter", adapter.Landing(welcome))
//
// A code works once: a second visit, like one with a code that is unknown or
// expired, is 410 with a sentence for the person, and 429 after too many of them
// from one address. The code stands in the URL, so
// no answer may be stored, and none sends a referrer.
func (a *Adapter) Landing(signedIn func(http.ResponseWriter, *http.Request, usermgmt.Tokens)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		if r.Method != http.MethodGet { // HEAD included: it would spend the code for nothing
			h.Set("Allow", http.MethodGet)
			say(w, http.StatusMethodNotAllowed, "This page is to be opened in a browser.")
			return
		}
		if strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") {
			say(w, http.StatusServiceUnavailable, "This page is to be opened, not fetched beforehand.")
			return
		}
		code, err := codeOf(r)
		if err != nil {
			say(w, http.StatusBadRequest, "This link is not complete. Please follow it as it was given to you.")
			return
		}
		var tokens usermgmt.Tokens
		err = a.router.Recover(func() error {
			m, err := a.gate.Anyone(r)
			if err != nil {
				return err
			}
			var actor usermgmt.Actor
			if actor, tokens, err = m.RedeemCode(r.Context(), code); err != nil {
				return err
			}
			m, err = a.gate.As(r, m, actor)
			r = a.actingAs(r, m)
			return err
		})
		var throttled *usermgmt.ThrottledError
		switch {
		case errors.As(err, &throttled):
			h.Set("Retry-After", wire.Seconds(throttled.RetryAfter))
			say(w, http.StatusTooManyRequests, "Too many links from here did not work. Please try again later.")
		case errors.Is(err, usermgmt.ErrUsed), errors.Is(err, usermgmt.ErrUnauthenticated):
			say(w, http.StatusGone, "This link was used before or has expired. Please ask for a new one.")
		case err != nil:
			a.router.Refuse(w, r, refusals(), err)
		default:
			signedIn(w, r, tokens)
		}
	})
}

func codeOf(r *http.Request) (string, error) {
	q, err := wire.ParseQuery(r)
	if err != nil {
		return "", err
	}
	code, _, err := q.String("code")
	if err == nil && code == "" {
		err = errors.New("there is no code")
	}
	return code, err
}

// say answers a person with a sentence.
func say(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence+"\n")
}
