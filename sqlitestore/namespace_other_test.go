//go:build !linux

package sqlitestore

import (
	"errors"
	"os/exec"
	"testing"
)

func isolate(t *testing.T, _ *exec.Cmd, _ bool) { t.Skip("there are no namespaces") }

func forbidden(error) bool { return false }

func mountSmall(string, string) error { return errors.ErrUnsupported }
