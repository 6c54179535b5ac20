package fulfillmenttools

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// FuzzPage: a query is refused, or is a page that the Manager takes, with the
// number and the cursor that stand in it.
func FuzzPage(f *testing.F) {
	for _, s := range []string{"", "size=10&startAfterId=x", "size=-1", "size=0", "size=99999999999", "startAfterId=%00", "startAfterId=", "startAfterId=a&startAfterId=b", "size=1e1", "%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		page, err := pageOf(&http.Request{URL: &url.URL{RawQuery: query}})
		if err != nil {
			if !errors.As(err, new(*wire.Error)) {
				t.Fatalf("%q: %v does not blame the caller", query, err)
			}
			return
		}
		given, err := url.ParseQuery(query)
		if err != nil {
			t.Fatalf("%q is taken: %v", query, err)
		}
		if page.Offset != 0 || page.Limit < 1 || page.Limit > maxSize || page.After != given.Get("startAfterId") {
			t.Fatalf("%q gives %+v", query, page)
		}
		if n, err := strconv.Atoi(given.Get("size")); err == nil && min(n, maxSize) != page.Limit || !given.Has("size") && page.Limit != defaultSize {
			t.Fatalf("%q gives the size %d", query, page.Limit)
		}
	})
}
