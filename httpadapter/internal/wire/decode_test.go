package wire

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// order holds every kind of destination.
type order struct {
	Name    string             `json:"name"`
	Age     int                `json:"age"`
	Small   int8               `json:"small"`
	Count   uint32             `json:"count"`
	Rate    float64            `json:"rate"`
	Active  bool               `json:"active"`
	Kind    string             `json:"kind"` // begins with a letter that the Kelvin sign folds to
	Roles   []string           `json:"roles"`
	Email   *string            `json:"email"`
	Note    Optional[string]   `json:"note,omitzero"`
	Tags    Optional[[]string] `json:"tags,omitzero"`
	Firm    Optional[string]   `json:"firm,omitzero" wire:"notnull"`
	Firms   Optional[[]action] `json:"firms,omitzero" wire:"notnull"`
	Pointed *int               `json:"pointed,omitempty" wire:"notnull"`
	Actions []action           `json:"actions"`
	Extra   map[string]any     `json:"extra"`
	Raw     json.RawMessage    `json:"raw,omitempty"`
	Any     any                `json:"any"`
	Hidden  string             `json:"-"`
	//lint:ignore U1000 the decoder must leave it alone
	private string
}

type action struct {
	Action string `json:"action" wire:"required"`
	Next   *order `json:"next"`
}

func decode(d *Decoder, text string) (order, error) {
	var o order
	err := d.Unmarshal([]byte(text), &o)
	return o, err
}

func TestUnmarshalAccepts(t *testing.T) {
	t.Parallel()
	text := ` {"name":"a\u00e9\ud83d\ude00\"\\\/\b\f\n\r\té", "age":-9223372036854775808,"small":127,"count":4294967295,
		"rate":1.5e3,"active":true,"kind":"","roles":[],"email":"e","note":null,"tags":["x"],
		"firm":"","firms":[],"pointed":0,
		"actions":[{"action":"go","next":{"name":"deep"}}],"extra":{"n":9007199254740993,"l":[null,false]},
		"raw": {"a" :[1]} ,"any":null,"unknown":{"x":[1,2,{"y":null}]},"NAME":"not this","-":"x","private":"x"} ` + "\n"
	got, err := decode(&Decoder{}, text)
	require.NoError(t, err)
	email := "e"
	require.Equal(t, order{
		Name: "aé😀\"\\/\b\f\n\r\té", Age: -9223372036854775808, Small: 127, Count: 4294967295,
		Rate: 1500, Active: true, Roles: []string{}, Email: &email,
		Note: Optional[string]{Set: true, Null: true}, Tags: Some([]string{"x"}), Firm: Some(""), Firms: Some([]action{}), Pointed: new(int),
		Actions: []action{{Action: "go", Next: &order{Name: "deep"}}},
		Extra:   map[string]any{"n": json.Number("9007199254740993"), "l": []any{nil, false}},
		Raw:     json.RawMessage(`{"a" :[1]}`),
	}, got)

	var s string
	require.NoError(t, (&Decoder{}).Unmarshal([]byte(`"bare"`), &s))
	require.Equal(t, "bare", s)
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, field, detail string
	}{
		{``, "", "body must not be empty"},
		{" \n\t", "", "body must not be empty"},
		{`[]`, "", "body must be an object"},
		{`"x"`, "", "body must be an object"},
		{`null`, "", "body must be an object"},
		{`{}{}`, "", "malformed JSON at byte 2: data after the value"},
		{`{} x`, "", "malformed JSON at byte 3: data after the value"},
		{"\ufeff{}", "", "malformed JSON at byte 0: expected a value"},
		{`{"name":"a"`, "name", "malformed JSON: unexpected end"},
		{`{"name":"a`, "name", "malformed JSON: unexpected end"},
		{`{"name":"a\`, "name", "malformed JSON: unexpected end"},
		{`{"name":"a\u12`, "name", "malformed JSON at byte 12: bad escape"},
		{`{"name":"\x"}`, "name", "malformed JSON at byte 10: bad escape"},
		{"{\"name\":\"a\nb\"}", "name", "malformed JSON at byte 10: control character in a string"},
		{`{"name":}`, "name", "malformed JSON at byte 8: expected a value"},
		{`{"name" "a"}`, "name", "malformed JSON at byte 8: expected a colon"},
		{`{"name":"a",}`, "", "malformed JSON at byte 12: expected a member"},
		{`{name:"a"}`, "", "malformed JSON at byte 1: expected a member"},
		{`{"name":'a'}`, "name", "malformed JSON at byte 8: expected a value"},
		{`{"roles":["a",]}`, "roles[1]", "malformed JSON at byte 14: expected a value"},
		{`{"roles":["a" "b"]}`, "roles[0]", "malformed JSON at byte 14: expected a comma or the end"},
		{`{"active":tru}`, "active", "malformed JSON at byte 10: unknown word"},
		{`{"any":nul}`, "any", "malformed JSON at byte 7: unknown word"},
		{`{"any":NaN}`, "any", "malformed JSON at byte 7: expected a value"},
		{`{"age":01}`, "age", "malformed JSON at byte 8: expected a comma or the end"},
		{`{"age":-}`, "age", "malformed JSON at byte 8: bad number"},
		{`{"age":1.}`, "age", "malformed JSON at byte 9: bad number"},
		{`{"age":1e}`, "age", "malformed JSON at byte 9: bad number"},
		{`{"age":+1}`, "age", "malformed JSON at byte 7: expected a value"},
		{"{\"name\":\"\xff\"}", "name", "must be valid UTF-8"},
		{"{\"name\":\"\xed\xa0\x80\"}", "name", "must be valid UTF-8"},
		{"{\"\xc0\x80\":1}", "", "member names must be valid UTF-8"},
		{`{"name":"\ud800"}`, "name", "must not contain half of a surrogate pair"},
		{`{"name":"\ud800x"}`, "name", "must not contain half of a surrogate pair"},
		{`{"name":"\ud800\ud800"}`, "name", "must not contain half of a surrogate pair"},
		{`{"name":"\udc00\ud800"}`, "name", "must not contain half of a surrogate pair"},
		{`{"name":"\ud83d\nde00"}`, "name", "must not contain half of a surrogate pair"},
		{`{"name":"\ud83d\u`, "name", "malformed JSON: unexpected end"},
		{`{"name":"\u0000"}`, "name", "must not contain U+0000"},
		{`{"other":["\u0000"]}`, "other[0]", "must not contain U+0000"},
		{"{\"name\":\"\x00\"}", "name", "malformed JSON at byte 9: control character in a string"},
		{`{"name":"a","name":"a"}`, "name", "must not be given twice"},
		{`{"name":"a","n\u0061me":"a"}`, "name", "must not be given twice"},
		{`{"x":1,"x":1}`, "x", "must not be given twice"},
		{`{"extra":{"a":{"b":1,"b":2}}}`, "extra.a.b", "must not be given twice"},
		{`{"x y\u0001":1,"x y\u0001":1}`, `"x y\x01"`, "must not be given twice"},
		{`{"name":1}`, "name", "must be a string"},
		{`{"name":null}`, "name", "must be a string"},
		{`{"name":["a"]}`, "name", "must be a string"},
		{`{"name":{"a":1}}`, "name", "must be a string"},
		{`{"roles":null}`, "roles", "must be an array"},
		{`{"roles":"a"}`, "roles", "must be an array"},
		{`{"roles":["a","b",3]}`, "roles[2]", "must be a string"},
		{`{"roles":["a",null]}`, "roles[1]", "must be a string"},
		{`{"note":5}`, "note", "must be a string"},
		{`{"tags":[false]}`, "tags[0]", "must be a string"},
		{`{"email":5}`, "email", "must be a string"},
		{`{"firm":null}`, "firm", "must be a string"},
		{`{"firm":5}`, "firm", "must be a string"},
		{`{"firms":null}`, "firms", "must be an array"},
		{`{"firms":[null]}`, "firms[0]", "must be an object"},
		{`{"pointed":null}`, "pointed", "must be an integer"},
		{`{"actions":[{"action":"a","next":{"firm":null}}]}`, "actions[0].next.firm", "must be a string"},
		{`{"active":"false"}`, "active", "must be true or false"},
		{`{"active":0}`, "active", "must be true or false"},
		{`{"active":null}`, "active", "must be true or false"},
		{`{"age":"1"}`, "age", "must be an integer"},
		{`{"age":1.0}`, "age", "must be an integer"},
		{`{"age":1e3}`, "age", "must be an integer"},
		{`{"age":true}`, "age", "must be an integer"},
		{`{"age":9223372036854775808}`, "age", "must be an integer of at most 64 bits"},
		{`{"small":128}`, "small", "must be an integer of at most 8 bits"},
		{`{"count":-1}`, "count", "must be an integer from 0"},
		{`{"rate":1e999}`, "rate", "must be in the range of a number"},
		{`{"rate":"1"}`, "rate", "must be a number"},
		{`{"actions":[{"action":"a"},{}]}`, "actions[1].action", "is required"},
		{`{"actions":[{"action":"a","next":{"name":7}}]}`, "actions[0].next.name", "must be a string"},
	}
	for _, tt := range tests {
		_, err := decode(&Decoder{}, tt.text)
		requireInvalid(t, err, tt.field, tt.detail, tt.text)
	}
}

func requireInvalid(t *testing.T, err error, field, detail string, about any) {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e, "%q", about)
	require.Equal(t, &Error{Kind: Invalid, Field: field, Detail: detail}, e, "%q", about)
}

func TestUnmarshalNames(t *testing.T) {
	t.Parallel()
	exact, fold, strict := &Decoder{}, &Decoder{FoldNames: true}, &Decoder{RefuseUnknown: true}
	tests := []struct {
		rule    string
		decoder *Decoder
		text    string
		want    string // Name, or Kind
		field   string
		detail  string
	}{
		{rule: "exact case binds nothing else", decoder: exact, text: `{"NAME":"x","Name":5}`},
		{rule: "long s and Kelvin are not s and k", decoder: exact, text: `{"\u212aind":"x"}`},
		{rule: "folding takes any ASCII case", decoder: fold, text: `{"NaMe":"x"}`, want: "x"},
		{rule: "folding leaves the Kelvin sign alone", decoder: fold, text: `{"\u212aind":"x"}`},
		{rule: "folding finds duplicates", decoder: fold, text: `{"name":"x","Name":"x"}`, field: "name", detail: "must not be given twice"},
		{rule: "folding finds unknown duplicates", decoder: fold, text: `{"É":1,"é":1}`, field: `"\u00e9"`, detail: "must not be given twice"},
		{rule: "folding finds the Kelvin duplicate", decoder: fold, text: `{"kind":"x","\u212aind":1}`, field: `"\u212aind"`, detail: "must not be given twice"},
		{rule: "folding finds the long s duplicate", decoder: fold, text: `{"tags":[],"tag\u017f":1}`, field: `"tag\u017f"`, detail: "must not be given twice"},
		{rule: "exact case is no duplicate", decoder: exact, text: `{"name":"x","Name":"y"}`, want: "x"},
		{rule: "unknown refused", decoder: strict, text: `{"who":1}`, field: "who", detail: "is not known here"},
		{rule: "unknown refused below", decoder: strict, text: `{"actions":[{"action":"a","b":1}]}`, field: "actions[0].b", detail: "is not known here"},
		{rule: "other case is unknown", decoder: strict, text: `{"NAME":"x"}`, field: "NAME", detail: "is not known here"},
		{rule: "a map knows all", decoder: strict, text: `{"extra":{"b":1},"name":"x"}`, want: "x"},
		{rule: "required by any case", decoder: fold, text: `{"name":"x","actions":[{"ACTION":""}]}`, want: "x"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := decode(tt.decoder, tt.text)
			if tt.detail != "" {
				requireInvalid(t, err, tt.field, tt.detail, tt.text)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got.Name)
			require.Empty(t, got.Kind)
		})
	}
}

func TestUnmarshalLimits(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return `{"any":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}" }
	list := func(n int) string { return `{"roles":[` + strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") + "]}" }
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"k` + strings.Repeat("x", i) + `":1`)
		}
		return "{" + b.String()[1:] + "}"
	}
	name := func(s string) string { return `{"name":"` + s + `"}` }
	tests := []struct {
		decoder       *Decoder
		good, bad     string
		field, detail string
	}{
		{&Decoder{}, nested(32), nested(33), "any" + strings.Repeat("[0]", 31), "must not be nested deeper than 32 levels"},
		{&Decoder{}, nested(32), strings.ReplaceAll(nested(33), "any", "xyz"), "xyz" + strings.Repeat("[0]", 31), "must not be nested deeper than 32 levels"},
		{&Decoder{MaxDepth: 3}, `{"any":[` + strings.Repeat("[],{},", 100) + `1]}`, `{"any":[[[]]]}`, "any[0][0]", "must not be nested deeper than 3 levels"},
		{&Decoder{MaxDepth: 2}, nested(2), nested(3), "any[0]", "must not be nested deeper than 2 levels"},
		{&Decoder{}, list(1000), list(1001), "roles", "must not have more than 1000 elements"},
		{&Decoder{MaxItems: 3}, list(3), list(4), "roles", "must not have more than 3 elements"},
		{&Decoder{MaxItems: 20}, members(20), members(21), "", "body must not have more than 20 members"},
		{&Decoder{MaxString: 4}, name("éé"), name("ééa"), "name", "must not exceed 4 bytes"},
		{&Decoder{MaxString: 4}, name(strings.Repeat(`\u0061`, 4)), name(strings.Repeat(`\u0061`, 5)), "name", "must not exceed 4 bytes"},
		{&Decoder{MaxString: 4}, name(""), `{"other":1}`, "", "member names must not exceed 4 bytes"},
		{&Decoder{}, name(strings.Repeat("a", 16<<10)), name(strings.Repeat("a", 16<<10+1)), "name", "must not exceed 16384 bytes"},
	}
	for _, tt := range tests {
		_, err := decode(tt.decoder, tt.good)
		require.NoError(t, err)
		_, err = decode(tt.decoder, tt.bad)
		requireInvalid(t, err, tt.field, tt.detail, tt.field)
	}
	_, err := decode(&Decoder{}, strings.TrimSuffix(members(100), "}")+`,"kxx":1}`)
	requireInvalid(t, err, "kxx", "must not be given twice", "one of many members")
}

func TestUnmarshalWrongDestination(t *testing.T) {
	t.Parallel()
	type embedded struct{ order }
	for _, dst := range []any{
		nil, order{}, (*order)(nil), new(chan int), new([]byte), new(map[int]string), new(embedded),
		new(struct {
			N int `json:"n,string"`
		}), new(struct {
			N int `json:"n" wire:"required,nutnoll"`
		}), new(io.Reader),
	} {
		err := (&Decoder{}).Unmarshal([]byte(`{"a":1}`), dst)
		require.Error(t, err, "%T", dst)
		require.False(t, errors.As(err, new(*Error)), "%T: %v blames the caller", dst, err)
	}
}

func TestDecodeContentType(t *testing.T) {
	t.Parallel()
	tests := []struct {
		contentType []string
		coding      string
		want        string
	}{
		{contentType: nil},
		{contentType: []string{""}},
		{contentType: []string{"application/json"}},
		{contentType: []string{"Application/JSON; Charset=UTF-8"}},
		{contentType: []string{`application/json; charset="utf-8"; v=1`}},
		{contentType: nil, coding: "identity"},
		{contentType: nil, coding: "gzip", want: "Content-Encoding is not supported"},
		{contentType: []string{"text/plain"}, want: "Content-Type must be application/json"},
		{contentType: []string{"application/jsonx"}, want: "Content-Type must be application/json"},
		{contentType: []string{"application/x-www-form-urlencoded"}, want: "Content-Type must be application/json"},
		{contentType: []string{"application/json; charset=latin1"}, want: "charset must be utf-8"},
		{contentType: []string{"application/json; charset"}, want: "Content-Type is malformed"},
		{contentType: []string{"/"}, want: "Content-Type is malformed"},
		{contentType: []string{"application/json", "application/json"}, want: "Content-Type is malformed"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("POST", "/", strings.NewReader(`{"name":"x"}`))
		if tt.contentType != nil {
			r.Header["Content-Type"] = tt.contentType
		}
		if tt.coding != "" {
			r.Header.Set("Content-Encoding", tt.coding)
		}
		var got order
		err := (&Decoder{}).Decode(httptest.NewRecorder(), r, &got)
		if tt.want == "" {
			require.NoError(t, err, "%q", tt.contentType)
			require.Equal(t, "x", got.Name)
			continue
		}
		require.Equal(t, &Error{Kind: UnsupportedMedia, Detail: tt.want}, err, "%q", tt.contentType)
	}
}

func TestDecodeBody(t *testing.T) {
	t.Parallel()
	d := &Decoder{MaxBytes: 10}
	unread := iotest.ErrReader(errors.New("was read"))
	tests := []struct {
		rule   string
		body   io.Reader
		length int64
		want   *Error
	}{
		{"at the limit", strings.NewReader(`{"a": 123}`), 10, nil},
		{"over the limit, declared, unread", unread, 11, &Error{Kind: TooLarge, Detail: "body must not exceed 10 bytes"}},
		{"over the limit, chunked", strings.NewReader(`{"a": 1234}`), -1, &Error{Kind: TooLarge, Detail: "body must not exceed 10 bytes"}},
		{"over the limit before it is parsed", strings.NewReader(`not JSON at all`), -1, &Error{Kind: TooLarge, Detail: "body must not exceed 10 bytes"}},
		{"empty", http.NoBody, 0, &Error{Kind: Invalid, Detail: "body must not be empty"}},
		{"cut", iotest.ErrReader(io.ErrUnexpectedEOF), 5, &Error{Kind: Invalid, Detail: "body could not be read", Cause: io.ErrUnexpectedEOF}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/", tt.body)
			r.ContentLength = tt.length
			err := d.Decode(httptest.NewRecorder(), r, &order{})
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.Equal(t, tt.want, err)
		})
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Body = nil
	require.Equal(t, errEmptyBody, d.Decode(nil, r, &order{}))
	r = httptest.NewRequest("POST", "/", strings.NewReader(`"`+strings.Repeat("a", 64<<10-2)+`"`))
	data, _, err := (&Decoder{}).Read(nil, r)
	require.NoError(t, err)
	require.Len(t, data, 64<<10)
	r = httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat(" ", 64<<10+1)))
	_, _, err = (&Decoder{}).Read(nil, r)
	require.Equal(t, Errorf(TooLarge, "body must not exceed 65536 bytes"), err)
}

func TestReadText(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("PATCH", "/", strings.NewReader("secret"))
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	data, media, err := (&Decoder{}).Read(httptest.NewRecorder(), r, MediaText)
	require.NoError(t, err)
	require.Equal(t, MediaText, media)
	s, err := Text(data)
	require.NoError(t, err)
	require.Equal(t, "secret", s)

	for text, detail := range map[string]string{
		"": "body must not be empty", "a\x00": "body must not contain U+0000", "\xff": "body must be valid UTF-8",
	} {
		_, err := Text([]byte(text))
		requireInvalid(t, err, "", detail, text)
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	type doc struct {
		A Optional[int] `json:"a,omitzero"`
	}
	for text, want := range map[string]Optional[int]{
		`{}`: {}, `{"a":null}`: {Set: true, Null: true}, `{"a":7}`: Some(7), `{"a":0}`: Some(0),
	} {
		var ours, theirs doc
		require.NoError(t, (&Decoder{}).Unmarshal([]byte(text), &ours))
		require.Equal(t, want, ours.A, text)
		require.NoError(t, json.Unmarshal([]byte(text), &theirs))
		require.Equal(t, ours, theirs, text)
		back, err := json.Marshal(ours)
		require.NoError(t, err)
		require.Equal(t, text, string(back))
		_, ok := ours.A.Get()
		require.Equal(t, want.Set && !want.Null, ok)
		require.Equal(t, ok, ours.A.Or(-1) != -1)
	}
}
