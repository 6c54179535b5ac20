//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is whom the server's programs run as: the test's own user, or, as
// PostgreSQL refuses to run as the superuser, another one.
type account struct{ other *syscall.Credential }

func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return account{}, fmt.Errorf("PostgreSQL does not run as the superuser, and the system has no user for it: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// process makes a program run as the account, in a session of its own: what a
// terminal sends to the tests (^C) is not for the server.
func (a account) process() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.other, Setsid: true}
}

// own gives a file to the account.
func (a account) own(name string) error {
	if a.other == nil {
		return nil
	}
	return os.Chown(name, int(a.other.Uid), int(a.other.Gid))
}

// What the server's main process understands.
const (
	immediate = syscall.SIGQUIT // ends as in a crash, without a checkpoint
	fast      = syscall.SIGINT  // ends its connections, then itself in good order
)
