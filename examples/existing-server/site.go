package main

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter"
)

// invoicesApprove is a permission of the application's own; people.json makes it
// known to the directory.
const invoicesApprove usermgmt.Permission = "invoices.approve"

// signedInFor is how long a cookie works, and the access token in it.
const signedInFor = time.Hour

// site is the application's pages and routes.
type site struct {
	m     *usermgmt.Manager
	books *ledger
}

const cookieName = "invoices_token"

// keep puts the access token in a cookie that no script reads.
func keep(w http.ResponseWriter, r *http.Request, token string) {
	c := &http.Cookie{
		Name: cookieName, Value: token, Path: "/", MaxAge: int(signedInFor / time.Second),
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (s *site) signInPage(w http.ResponseWriter, _ *http.Request) { show(w, "sign-in", nil) }

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	tokens, err := s.m.SignIn(r.Context(), r.FormValue("username"), r.FormValue("password"))
	switch {
	case errors.Is(err, usermgmt.ErrUnauthenticated):
		http.Error(w, "The name or the password is wrong.", http.StatusUnauthorized)
	case err != nil:
		http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
	default:
		keep(w, r, tokens.AccessToken)
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	}
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	m, _ := httpadapter.ManagerFrom(r.Context())
	if err := m.SignOut(r.Context()); err != nil {
		http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
		return
	}
	keep(w, r, "")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// welcome is where a partner's user arrives; the adapter has redeemed his code.
func (s *site) welcome(w http.ResponseWriter, r *http.Request, tokens usermgmt.Tokens) {
	keep(w, r, tokens.AccessToken)
	s.home(w, r)
}

// home says who is signed in, and to what.
func (s *site) home(w http.ResponseWriter, r *http.Request) {
	m, _ := httpadapter.ManagerFrom(r.Context())
	places, err := m.MyOrganizations(r.Context(), usermgmt.Page{})
	if err != nil {
		http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
		return
	}
	type place struct {
		ID         usermgmt.OrganizationID
		Name       string
		Invoices   []invoice
		MayApprove bool
	}
	var page struct {
		Name   string
		Places []place
	}
	for _, o := range places.Items {
		member, err := m.Member(r.Context(), o.ID, o.Membership.UserID)
		if err != nil {
			http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
			return
		}
		page.Name = member.Profile.FirstName + " " + member.Profile.LastName
		p := place{ID: o.ID, Name: o.Name}
		if p.MayApprove, err = m.Can(r.Context(), invoicesApprove, usermgmt.InOrganization(o.ID)); err == nil {
			p.Invoices, err = s.books.list(r.Context(), string(o.ID))
		}
		if err != nil {
			http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
			return
		}
		page.Places = append(page.Places, p)
	}
	show(w, "home", page)
}

func (s *site) invoices(w http.ResponseWriter, r *http.Request) {
	invoices, err := s.books.list(r.Context(), r.PathValue("organization"))
	if err != nil {
		http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(invoices)
}

func (s *site) approve(w http.ResponseWriter, r *http.Request) {
	actor, _ := httpadapter.ActorFrom(r.Context())
	err := s.books.approve(r.Context(), r.PathValue("organization"), r.PathValue("number"), string(actor.UserID()))
	switch {
	case errors.Is(err, errNoInvoice):
		http.Error(w, "There is no such invoice to approve.", http.StatusNotFound)
	case err != nil:
		http.Error(w, "Please try again later.", http.StatusServiceUnavailable)
	default:
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	}
}

var pages = template.Must(template.New("").Parse(`
{{define "head"}}<!doctype html><meta charset="utf-8"><title>Invoices</title>{{end}}
{{define "sign-in"}}{{template "head"}}<h1>Invoices</h1>
<form method="post" action="/sign-in"><input name="username" placeholder="name"> <input name="password" type="password" placeholder="password"> <button>Sign in</button></form>{{end}}
{{define "home"}}{{template "head"}}<h1>Invoices</h1>
<p>You are {{.Name}}.</p>
{{range .Places}}{{$place := .}}<h2>{{.Name}}</h2><ul>{{range .Invoices}}
<li>{{.Number}} {{.Subject}} {{.Cents}} ct {{if .ApprovedBy}}(approved by {{.ApprovedBy}}){{else if $place.MayApprove}}<form method="post" action="/organizations/{{$place.ID}}/invoices/{{.Number}}/approval"><button>Approve</button></form>{{end}}</li>{{end}}</ul>
{{end}}<form method="post" action="/sign-out"><button>Sign out</button></form>{{end}}
`))

func show(w http.ResponseWriter, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.ExecuteTemplate(w, page, data)
}
