package applivery

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

const (
	defaultLimit = 100
	maxLimit     = 1_000
)

// listParams are those that listQuery reads.
var listParams = []wire.Parameter{
	{In: "query", Name: "page", Type: "integer", Summary: "Number of the page, from 1, which is the default."},
	{In: "query", Name: "limit", Type: "integer", Summary: "Length of a page; 100 by default. More than 1,000 is 1,000."},
	{In: "query", Name: "sort", Type: "string", Summary: "The order: id or id:asc, which is the default. There is no other."},
	{In: "query", Name: "role", Type: "string", Summary: "Picks those with a role: owner, admin, editor, viewer or unassigned."},
	{In: "query", Name: "email", Type: "string", Summary: "Picks the one with an address, in whatever spelling."},
	{In: "query", Name: "tags", Type: "array", Summary: "Picks those who have all of the tags; repeated, as tags or tags[]."},
	{In: "query", Name: "onlyUsers", Type: "boolean", Summary: "Changes nothing: every collaborator is a user."},
}

// listQuery is a page and the members that are listed on it.
type listQuery struct {
	page, limit int
	search      usermgmt.MemberSearch
}

// skip is how many members come before the page.
func (q listQuery) skip() int {
	return int(min(int64(q.page-1)*int64(q.limit), math.MaxInt32))
}

func listQueryOf(r *http.Request) (listQuery, error) {
	var q listQuery
	in, err := wire.ParseQuery(r)
	if err != nil {
		return q, err
	}
	if q.page, err = in.Int("page", wire.IntRange{Default: 1, Min: 1}); err != nil {
		return q, err
	}
	if q.limit, err = in.Int("limit", wire.IntRange{Default: defaultLimit, Min: 1, Max: maxLimit}); err != nil {
		return q, err
	}
	if err := checkSort(in); err != nil {
		return q, err
	}
	if _, err := in.Bool("onlyUsers", false); err != nil {
		return q, err
	}
	q.search, err = searchOf(in)
	return q, err
}

// checkSort admits the one order that there is. The published form is a field's
// name and a direction, both optional.
func checkSort(in wire.Query) error {
	order, _, err := in.String("sort")
	if err != nil {
		return err
	}
	field, _ := strings.CutSuffix(order, ":asc")
	if field != "" && field != "id" {
		return wire.Invalidf("sort", "must be id or id:asc")
	}
	return nil
}

func searchOf(in wire.Query) (usermgmt.MemberSearch, error) {
	var s usermgmt.MemberSearch
	name, given, err := in.String("role")
	if err != nil {
		return s, err
	}
	if given {
		if s.Roles = rolesOf(name); s.Roles == nil {
			return s, wire.Invalidf("role", "must be owner, admin, editor, viewer or unassigned")
		}
	}
	if s.Email, given, err = in.String("email"); err != nil {
		return s, err
	}
	if given && s.Email == "" {
		return s, wire.Invalidf("email", "must not be empty")
	}
	if err := checkLength("email", s.Email, maxEmail); err != nil {
		return s, err
	}
	for _, name := range []string{"tags", "tags[]"} {
		tags, err := in.Strings(name)
		if err != nil {
			return s, err
		}
		s.Tags = append(s.Tags, tags...)
	}
	slices.Sort(s.Tags)
	s.Tags = slices.Compact(s.Tags)
	return s, checkTags(s.Tags)
}

// pageOf is the answer for a page of so many items in all, in the form of the
// envelope that the text's siblings publish.
func pageOf(q listQuery, items []collaborator, total int) collaboratorPage {
	page, limit := int64(q.page), int64(q.limit)
	p := collaboratorPage{
		Items: items, TotalDocs: int64(total), Limit: limit, Page: page,
		TotalPages:    max(1, (int64(total)+limit-1)/limit),
		PagingCounter: (page-1)*limit + 1,
	}
	if p.HasPrevPage = page > 1; p.HasPrevPage {
		p.PrevPage = new(page - 1)
	}
	if p.HasNextPage = page < p.TotalPages; p.HasNextPage {
		p.NextPage = new(page + 1)
	}
	return p
}
