package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ContentTypeJSON is the Content-Type of every answer that does not say otherwise.
const ContentTypeJSON = "application/json; charset=utf-8"

// JSON answers status with v as JSON, without HTML escapes. Nothing is sent if v
// cannot be encoded; the error then makes a 500.
func JSON(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	return Body(w, status, ContentTypeJSON, body)
}

// Body answers status with a body that is encoded already.
func Body(w http.ResponseWriter, status int, contentType string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// Void answers status without a body.
func Void(w http.ResponseWriter, status int) error {
	if status != http.StatusNoContent { // which must not have a length
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(status)
	return nil
}

// List returns s, or an empty list for nil, so that JSON has [] and never null.
func List[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Time is t in RFC 3339, in UTC and with milliseconds, cut off below these:
// "2020-09-25T10:06:35.009Z".
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// response notes what is sent, and keeps bodies from HEAD, whoever serves us.
type response struct {
	http.ResponseWriter
	head   bool
	status int // 0 until the answer has begun
	bytes  int64
}

// Unwrap serves [http.ResponseController].
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *response) WriteHeader(status int) {
	if r.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *response) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if r.head {
		return len(p), nil
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// innermost unwraps w for net/http, which closes the connection of a body over
// its limit only if it finds its own type.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}
