// Package openapi describes mounts in an OpenAPI 3.1 document.
//
//	mounts = append(mounts, openapi.Mount("/api/v1", mounts))
//
// Everything in it comes from the routes themselves: paths and parameters from
// their patterns, schemas from the types that are decoded and encoded, and the
// error bodies from the mounts' renderers.
package openapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Path is where the document is served.
const Path = "/openapi.json"

// Mount returns the mount that serves a description of the mounts and of
// itself, as they are below prefix.
func Mount(prefix string, mounts []wire.Mount) (wire.Mount, error) {
	m := wire.Mount{Title: "Description", Prefixes: []string{Path}, Errors: wire.Problem{}}
	m.Routes = []wire.Route{{
		Method: http.MethodGet, Pattern: Path, Name: "describe", Policy: wire.Policy{Who: wire.WhoAnyone},
		Doc: wire.Doc{Summary: "Returns this description (OpenAPI 3.1).", Status: http.StatusOK, Answer: map[string]any{}},
	}}
	text, err := json.Marshal(describe(prefix, append(slices.Clone(mounts), m)))
	if err != nil {
		return wire.Mount{}, err
	}
	m.Routes[0].Handler = func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "no-cache")
		return wire.Body(w, http.StatusOK, wire.ContentTypeJSON, text)
	}
	return m, nil
}

type object = map[string]any

func describe(prefix string, mounts []wire.Mount) object {
	b := builder{schemas: object{}}
	paths := map[string]object{}
	var tags []object
	for _, m := range mounts {
		tags = append(tags, object{"name": m.Title})
		for _, r := range m.Routes {
			item := paths[r.Pattern]
			if item == nil {
				item = object{}
				paths[r.Pattern] = item
			}
			item[strings.ToLower(r.Method)] = b.operation(m, r)
		}
	}
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title":       "User management",
			"version":     "1",
			"description": "What this server answers, and to whom. Errors that are not listed have the body of the others.",
		},
		"tags":  tags,
		"paths": paths,
		"components": object{
			"schemas": b.schemas,
			"securitySchemes": object{
				"token": object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Access token of a user"},
				"key":   object{"type": "http", "scheme": "bearer", "description": "API key of an organization"},
			},
		},
	}
	if p := strings.TrimSuffix(prefix, "/"); p != "" {
		doc["servers"] = []object{{"url": p}}
	}
	return doc
}

func (b *builder) operation(m wire.Mount, r wire.Route) object {
	op := object{
		"operationId": r.Name,
		"tags":        []string{m.Title},
		"summary":     strings.TrimSuffix(r.Doc.Summary, "."),
		"responses":   b.responses(m, r),
		"x-policy":    object{"who": r.Policy.Who, "permission": r.Policy.Permission, "scope": r.Policy.Scope},
	}
	if text := needs(r.Policy); text != "" {
		op["description"] = text
	}
	switch r.Policy.Who {
	case wire.WhoUser:
		op["security"] = []object{{"token": []string{}}}
	case wire.WhoKey:
		op["security"] = []object{{"key": []string{}}, {"token": []string{}}}
	default: // nobody, or credentials in the body
		op["security"] = []object{}
	}
	if params := parameters(r); len(params) > 0 {
		op["parameters"] = params
	}
	if r.Doc.Request != nil {
		op["requestBody"] = object{"required": true, "content": b.content(r.Doc)}
	}
	return op
}

// needs says in words what the policy says.
func needs(p wire.Policy) string {
	var places []string
	self := false
	for _, scope := range strings.Split(p.Scope, "|") {
		switch scope {
		case "self":
			self = true
		case "realm":
			places = append(places, "in the realm")
		case "organization":
			places = append(places, "in the organization")
		case "facility":
			places = append(places, "at a facility that is shared")
		}
	}
	switch {
	case p.Permission == "" && p.Who == wire.WhoUser:
		return "For every user."
	case p.Permission == "":
		return ""
	case self:
		return "Needs " + or(p.Permission) + " " + strings.Join(places, " or ") + ", or to be the user himself."
	}
	return "Needs " + or(p.Permission) + " " + strings.Join(places, " or ") + "."
}

func or(alternatives string) string { return strings.ReplaceAll(alternatives, "|", " or ") }

func parameters(r wire.Route) []object {
	var params []object
	for _, segment := range strings.Split(r.Pattern, "/") {
		if strings.HasPrefix(segment, "{") {
			params = append(params, object{
				"in": "path", "name": strings.Trim(segment, "{}"), "required": true, "schema": object{"type": "string"},
			})
		}
	}
	for _, p := range r.Doc.Params {
		schema := object{"type": p.Type}
		if p.Type == "array" {
			schema["items"] = object{"type": "string"}
		}
		params = append(params, object{
			"in": p.In, "name": p.Name, "required": p.Required, "description": p.Summary, "schema": schema,
		})
	}
	return params
}

// content is what the body of a request may be.
func (b *builder) content(d wire.Doc) object {
	schema := b.schema(d.Request, use{request: true, strict: d.Strict})
	content := object{}
	if !slices.Contains(d.Media, wire.MediaForm) {
		content["application/json"] = object{"schema": schema}
	}
	for _, media := range d.Media {
		content[media] = object{"schema": schema}
	}
	return content
}

func (b *builder) responses(m wire.Mount, r wire.Route) object {
	success := object{"description": http.StatusText(r.Doc.Status)}
	if r.Doc.Answer != nil {
		success["content"] = object{"application/json": object{"schema": b.schema(r.Doc.Answer, use{})}}
	}
	responses := object{strconv.Itoa(r.Doc.Status): success}
	media, body := m.Errors.Render(&wire.Error{})
	media, _, _ = strings.Cut(media, ";")
	failure := func(text string) object {
		return object{"description": text, "content": object{media: object{"schema": b.schema(body, use{})}}}
	}
	statuses := slices.Clone(r.Doc.Errors)
	if r.Policy.Who != wire.WhoAnyone {
		statuses = append(statuses, http.StatusUnauthorized)
	}
	slices.SortFunc(statuses, cmp.Compare)
	for _, status := range slices.Compact(statuses) {
		responses[strconv.Itoa(status)] = failure(http.StatusText(status))
	}
	responses["default"] = failure("Any other error")
	return responses
}
