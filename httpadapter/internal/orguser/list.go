package orguser

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// listMembers answers all members in the order of their ids. Up to MaxPage of
// them are one unit of work and one answer of known length; more are sent page
// by page, so that memory is bounded by a page.
func (d *dialect) listMembers(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	org, err := organizationOf(r)
	if err != nil {
		return err
	}
	page, err := m.Members(r.Context(), org, usermgmt.MemberList{Page: usermgmt.Page{Limit: usermgmt.MaxPage}})
	if errors.Is(err, usermgmt.ErrNoOrganization) {
		// Not found for who would hold the right in it; no word on it for others.
		if denied := m.Require(r.Context(), usermgmt.MembersList, usermgmt.InOrganization(org)); denied != nil {
			return denied
		}
	}
	if err != nil {
		return err
	}
	if page.Next == "" {
		return wire.JSON(w, http.StatusOK, listedOf(page.Items))
	}
	w.Header().Set("Content-Type", wire.ContentTypeJSON)
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	return stream(w, page, func(after string) (usermgmt.List[usermgmt.Member], error) {
		return m.Members(r.Context(), org, usermgmt.MemberList{Page: usermgmt.Page{After: after, Limit: usermgmt.MaxPage}})
	})
}

// stream writes the page and those after it as one array. Where a page cannot be
// read the array stays open, and the error cuts the connection: no client takes
// a part for the whole.
func stream(w io.Writer, page usermgmt.List[usermgmt.Member], next func(after string) (usermgmt.List[usermgmt.Member], error)) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	separator := "["
	for {
		for _, item := range listedOf(page.Items) {
			if _, err := io.WriteString(w, separator); err != nil {
				return err
			}
			if err := e.Encode(item); err != nil {
				return err
			}
			separator = ","
		}
		if page.Next == "" {
			_, err := io.WriteString(w, "]")
			return err
		}
		var err error
		if page, err = next(page.Next); err != nil {
			return err
		}
	}
}
