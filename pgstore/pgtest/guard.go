package pgtest

import (
	"fmt"
	"os"
	"os/exec"
)

// guard is a process that ends a server and removes its folder as soon as the
// process of the tests is gone, for whatever reason: nothing of it can run
// after os.Exit, a panic in a goroutine or a SIGKILL, but the kernel closes its
// end of the pipe. The parent-death signal of Linux would not do: it tells of
// threads, knows no more than a signal, and leaves the folder.
type guard struct {
	cmd  *exec.Cmd
	pipe *os.File // its closing is the sign
}

// watch reads until the pipe is closed. A server that was about to start and
// has no pid file yet fails without its folder; what it and initdb put there
// meanwhile takes another turn to remove.
const watch = `
read -r _
"$1/pg_ctl" stop -D "$2/data" -m immediate -s
for turn in 1 2 3 4 5; do
	rm -rf "$2" && exit
	sleep 1
done`

// post makes a guard for the server.
func post(s *Server) (*guard, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	cmd := exec.Command("/bin/sh", "-c", watch, "sh", s.programs, s.folder)
	cmd.Dir = "/"
	cmd.Stdin = theirs
	// Output goes nowhere: whoever reads that of the tests would wait for the guard.
	cmd.SysProcAttr = s.account.process()
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, fmt.Errorf("guard: %w", err)
	}
	return &guard{cmd, ours}, nil
}

// dismiss lets the guard do its work and waits for it. That a folder is left is
// for the caller to see.
func (g *guard) dismiss() error {
	if err := g.pipe.Close(); err != nil {
		return err
	}
	_ = g.cmd.Wait()
	return nil
}
