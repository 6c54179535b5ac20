package sqlitestore

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// isolate starts a process in a user namespace of its own, as a user of no
// power there if he is not to be root. What files are his is as before.
func isolate(t *testing.T, cmd *exec.Cmd, root bool) {
	t.Helper()
	id, flags := 1000, uintptr(syscall.CLONE_NEWUSER)
	if root {
		id, flags = 0, flags|syscall.CLONE_NEWNS
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getgid(), Size: 1}},
	}
	err := cmd.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("user namespaces are not allowed here: %v", err)
	}
	require.NoError(t, err)
}

// mountSmall puts a file system of so many bytes at a folder, for this process alone.
func mountSmall(dir, size string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
}
