package sqlitestore

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// isolate starts a process as one that has no power over the files of others,
// which root has, or with root in a user namespace of its own, where it may
// mount file systems. What files are its own is as before.
func isolate(t *testing.T, cmd *exec.Cmd, root bool) {
	t.Helper()
	id, flags := 1000, uintptr(syscall.CLONE_NEWUSER)
	if root {
		id, flags = 0, flags|syscall.CLONE_NEWNS
	}
	if root || os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  flags,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: os.Getgid(), Size: 1}},
		}
	}
	err := cmd.Start()
	if forbidden(err) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("user namespaces are not allowed here: %v", err)
	}
	require.NoError(t, err)
}

// forbidden tells whether the system allows a process no namespace, or none
// with power in it.
func forbidden(err error) bool { return errors.Is(err, fs.ErrPermission) }

// mountSmall puts a file system of so many bytes at a folder, for this process alone.
func mountSmall(dir, size string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
}
