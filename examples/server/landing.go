package main

import (
	"html/template"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter"
)

const (
	// landingPath is where vendors' users come with their one-time codes.
	landingPath = "/landing"
	// signedInPath says who is signed in.
	signedInPath = "/signed-in"
	cookieName   = "usermgmt_token"
)

// withLanding serves the landing of one-time codes beside the adapter. It picks
// by path itself, since a ServeMux would redirect //api/users, which the adapter
// serves as it comes.
func withLanding(adapter *httpadapter.Adapter) http.Handler {
	landing := adapter.Landing(func(w http.ResponseWriter, r *http.Request, tokens usermgmt.Tokens) {
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: tokens.AccessToken, Path: signedInPath, MaxAge: int(tokens.ExpiresIn.Seconds()),
			HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
		})
		signedIn(w, r)
	})
	still := httpadapter.FromCookie(cookieName, adapter.Authenticate(http.HandlerFunc(signedIn)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case landingPath:
			landing.ServeHTTP(w, r)
		case signedInPath:
			still.ServeHTTP(w, r)
		default:
			adapter.ServeHTTP(w, r)
		}
	})
}

var page = template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><title>Signed in</title>
<p>You are signed in as {{.Profile.FirstName}} {{.Profile.LastName}} ({{.Profile.Email}}), in {{.Organization.Name}}.</p>
<p><a href="` + signedInPath + `">Still?</a></p>
`))

// signedIn names who came, and where to.
func signedIn(w http.ResponseWriter, r *http.Request) {
	m, _ := httpadapter.ManagerFrom(r.Context())
	var data struct {
		usermgmt.Profile
		Organization usermgmt.Organization
	}
	member, err := m.Member(r.Context(), m.Actor().ConfinedTo(), m.Actor().UserID())
	if err == nil {
		data.Profile = member.Profile
		data.Organization, err = m.Organization(r.Context(), m.Actor().ConfinedTo())
	}
	if err != nil {
		http.Error(w, "This page is for those who came by a one-time link.", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = page.Execute(w, data)
}
