package fulfillmenttools

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/rolename"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// The text's default and maximum of size.
const (
	defaultSize = 25
	maxSize     = 100
)

// pageParams are those that pageOf reads.
var pageParams = []wire.Parameter{
	{In: "query", Name: "size", Type: "integer", Summary: "How many users are wanted, 1 to 100; 25 by default. More than the maximum is the maximum."},
	{In: "query", Name: "startAfterId", Type: "string", Summary: "The id behind which the page begins, of a user who need not exist any more."},
}

// pageOf reads size and startAfterId, which is as good as absent where it is empty.
func pageOf(r *http.Request) (usermgmt.Page, error) {
	q, err := wire.ParseQuery(r)
	if err != nil {
		return usermgmt.Page{}, err
	}
	size, err := q.Int("size", wire.IntRange{Default: defaultSize, Min: 1, Max: maxSize})
	if err != nil {
		return usermgmt.Page{}, err
	}
	after, _, err := q.String("startAfterId")
	if err != nil {
		return usermgmt.Page{}, err
	}
	return usermgmt.Page{After: after, Limit: size}, nil
}

// listOf is the answer for a page that began behind after.
func listOf(page usermgmt.List[usermgmt.User], total int, after string, names *rolename.Names) userListResponse {
	res := userListResponse{
		Total: total, Users: make([]userResponse, len(page.Items)),
		PageInfo: pageInfo{HasNextPage: page.Next != "", HasPreviousPage: after != ""},
	}
	for i, u := range page.Items {
		res.Users[i] = userOf(u, names)
	}
	if n := len(res.Users); n > 0 {
		res.PageInfo.StartCursor, res.PageInfo.EndCursor = &res.Users[0].ID, &res.Users[n-1].ID
	}
	return res
}

func (d *dialect) users(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	page, err := pageOf(r)
	if err != nil {
		return err
	}
	list, total, err := m.UsersInReach(r.Context(), page)
	if err != nil {
		return err
	}
	names := rolename.In(usermgmt.ScopeFacility)
	if err := names.Learn(r.Context(), m, list.Items...); err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, listOf(list, total, page.After, names))
}
