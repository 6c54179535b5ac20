package socotra

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// The text has neither default nor maximum; basic lists have a higher one.
const (
	defaultCount  = 100
	maxCount      = 1_000
	maxBasicCount = usermgmt.MaxPage
)

// pageParams are those that pageOf reads.
var pageParams = []wire.Parameter{
	{In: "query", Name: "offset", Type: "integer", Summary: "How many entries come before the first; 0 by default."},
	{In: "query", Name: "count", Type: "integer", Summary: "How many entries are wanted; 100 by default. More than the maximum is the maximum."},
	{In: "query", Name: "extended", Type: "boolean", Summary: "Changes nothing."},
}

// pageOf reads offset and count. The parameter extended must be a boolean, and
// changes nothing: lists are always wrapped.
func pageOf(r *http.Request, maximum int) (usermgmt.Page, error) {
	q, err := wire.ParseQuery(r)
	if err != nil {
		return usermgmt.Page{}, err
	}
	offset, err := q.Int("offset", wire.IntRange{})
	if err != nil {
		return usermgmt.Page{}, err
	}
	count, err := q.Int("count", wire.IntRange{Default: defaultCount, Min: 1, Max: maximum})
	if err != nil {
		return usermgmt.Page{}, err
	}
	if _, err := q.Bool("extended", false); err != nil {
		return usermgmt.Page{}, err
	}
	return usermgmt.Page{Offset: int64(offset), Limit: count}, nil
}
