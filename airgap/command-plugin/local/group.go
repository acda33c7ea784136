package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// runGroup runs cmd in a process group of its own and kills the whole group when ctx is done. Killing the shell alone
// would leave what it started running, and holding the pipes that Wait reads to their end.
func runGroup(ctx context.Context, cmd *exec.Cmd) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// The system call says only that something is missing, and would be taken to mean the interpreter.
	if info, err := os.Stat(cmd.Dir); err != nil {
		return &fs.PathError{Op: "chdir", Path: cmd.Dir, Err: errors.Unwrap(err)}
	} else if !info.IsDir() {
		return &fs.PathError{Op: "chdir", Path: cmd.Dir, Err: syscall.ENOTDIR}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	// exec.CommandContext would stop watching ctx once the shell has ended, while a background child may live on.
	unwatch := context.AfterFunc(ctx, func() {
		// The one error possible is that the group has gone already, which is what is wanted.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	err := cmd.Wait()
	if killed := !unwatch(); killed && err == nil {
		return ctx.Err() // the shell had ended well, but what it had left running was cut off
	}
	return err
}
