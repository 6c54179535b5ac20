package socotra

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// FuzzPage: a query is refused, or is a page that the Manager takes, with the
// numbers that stand in it.
func FuzzPage(f *testing.F) {
	for _, s := range []string{"", "offset=0&count=10", "offset=-1", "count=0", "count=99999999999", "offset=2147483648", "extended=true", "extended=x", "offset=1&offset=1", "%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, maximum := range []int{maxCount, maxBasicCount} {
			page, err := pageOf(&http.Request{URL: &url.URL{RawQuery: query}}, maximum)
			if err != nil {
				if !errors.As(err, new(*wire.Error)) {
					t.Fatalf("%q: %v does not blame the caller", query, err)
				}
				continue
			}
			if page.After != "" || page.Offset < 0 || page.Limit < 1 || page.Limit > maximum {
				t.Fatalf("%q gives %+v", query, page)
			}
			given, err := url.ParseQuery(query)
			if err != nil {
				t.Fatalf("%q is taken: %v", query, err)
			}
			if n, err := strconv.Atoi(given.Get("offset")); err == nil && int64(n) != page.Offset && n <= 1<<31-1 || !given.Has("offset") && page.Offset != 0 {
				t.Fatalf("%q gives the offset %d", query, page.Offset)
			}
			if n, err := strconv.Atoi(given.Get("count")); err == nil && min(n, maximum) != page.Limit || !given.Has("count") && page.Limit != defaultCount {
				t.Fatalf("%q gives the count %d", query, page.Limit)
			}
		}
	})
}
