package main

// wireDefects are of what comes in over HTTP, and of the names in it.
func wireDefects() []defect {
	return []defect{
		{"the first of two Authorization headers counts", "httpadapter/internal/wire/bearer.go", "	if len(values) > 1 {", "	if len(values) > 2 {", "httpadapter/internal/wire", "TestBearer"},
		{"the scheme's name counts letter by letter", "httpadapter/internal/wire/bearer.go", `!strings.EqualFold(scheme, "Bearer")`, `scheme != "Bearer"`, "httpadapter/internal/wire", "TestBearer"},
		{"tokens of any length are looked at", "httpadapter/internal/wire/bearer.go", "	case len(token) > maxToken:", "	case len(token) > maxToken<<10:", "httpadapter/internal/wire", "TestBearer"},
		{"what follows the JSON value is ignored", "httpadapter/internal/wire/decode.go", "	if p.pos != len(data) {\n		return p.malformed", "	if p.pos > len(data) {\n		return p.malformed", "httpadapter/internal/wire", "TestUnmarshal"},
		{"any content type is JSON", "httpadapter/internal/wire/decode.go", "	if media != mediaJSON && !slices.Contains(also, media) {", "	if media == \"\" {", "httpadapter/internal/wire", "TestDecodeContentType"},
		{"a body that says its length is read whole", "httpadapter/internal/wire/decode.go", "http.MaxBytesReader(innermost(w), r.Body, limit)", "http.MaxBytesReader(innermost(w), r.Body, limit<<20)", "httpadapter/internal/wire", "TestDecodeBody"},
		{"U+0000 gets in by an escape", "httpadapter/internal/wire/scan.go", "	if r == 0 {\n", "	if r < 0 {\n", "httpadapter/internal/wire", "TestUnmarshal"},
		{"broken UTF-8 gets in", "httpadapter/internal/wire/scan.go", "			if r == utf8.RuneError && size == 1 {", "			if r == utf8.RuneError && size == 0 {", "httpadapter/internal/wire", "TestUnmarshal"},
		{"strings of any length get in", "httpadapter/internal/wire/scan.go", "			if len(text) > p.maxString {", "			if len(text) > p.maxString<<20 {", "httpadapter/internal/wire", "TestUnmarshalLimits"},
		{"a cookie beats the Authorization header", "httpadapter/middleware.go", `c.Value != "" && len(r.Header["Authorization"]) == 0 {`, `c.Value != "" {`, "httpadapter", "TestFromCookie"},
		{"another adapter's word counts", "httpadapter/middleware.go", "ok && who.adapter == a {", "ok {", "httpadapter", "TestNestedAdapters"},
		{"two addresses are one e-mail", "internal/identity/email.go", `	if !ok || strings.Contains(host, "@") {`, `	if !ok {`, "internal/identity", "TestFoldEmail|TestHostile"},
	}
}
