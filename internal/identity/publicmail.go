package identity

import (
	_ "embed"
	"strings"
	"sync"
)

// publicMail holds domains in canonical form, one per line, sorted by bytes.
//
//go:embed public_mail_domains.txt
var publicMail string

// publicMailSet is built at the first question and never changed.
var publicMailSet = sync.OnceValue(func() map[string]struct{} {
	set := make(map[string]struct{}, strings.Count(publicMail, "\n"))
	for line := range strings.Lines(publicMail) {
		set[strings.TrimSuffix(line, "\n")] = struct{}{}
	}
	return set
})

// PublicMailDomain reports whether anyone can get an address at the domain,
// given in the canonical form of [FoldDomain]: it belongs to a public mail
// provider, or to one of throw-away addresses. Such a domain says nothing about
// an organization. Whole domains are compared; a subdomain of a listed one is
// not listed. The list cannot be complete.
func PublicMailDomain(domain string) bool {
	_, ok := publicMailSet()[domain]
	return ok
}
