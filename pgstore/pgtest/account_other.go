//go:build !unix

package pgtest

import (
	"fmt"
	"os"
	"syscall"
)

// account stands for whom the server's programs run as. Here they do not: the
// guard of a throw-away cluster is a shell's script.
type account struct{}

func serverAccount() (account, error) {
	return account{}, fmt.Errorf("a throw-away cluster needs Unix: %w", errNone)
}

func (account) process() *syscall.SysProcAttr { return nil }
func (account) own(string) error              { return nil }

var immediate, fast = os.Kill, os.Interrupt
