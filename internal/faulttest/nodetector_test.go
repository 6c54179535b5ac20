//go:build !race

package faulttest

const detector = false
