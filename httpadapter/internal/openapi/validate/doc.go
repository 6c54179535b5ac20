// Package validate holds the description that the adapter serves, and the
// exchanges that its dialects are held to, against each other by an independent
// OpenAPI validator. It is a module of its own, so that the validator is no
// dependency of the library.
package validate
