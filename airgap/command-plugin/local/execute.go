package local

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
)

// execute runs script as e says and, where it ends well, replaces last with what it left. On failure last is
// untouched and the error carries everything the script printed.
func execute(ctx, stop context.Context, script string, e Execution, last *Result) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(stop, cancel)()

	argv := []string{"/bin/sh", "-c"}
	if e.Interpreter != nil && len(*e.Interpreter) > 0 {
		argv = *e.Interpreter
	}
	argv = append(append([]string{}, argv...), script)

	cmd := exec.Command(argv[0], argv[1:]...)
	if e.Dir != nil {
		cmd.Dir = *e.Dir
	}
	if cmd.Dir == "" { // resolved here, because assetPaths and archivePaths are relative to it
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		cmd.Dir = wd
	}
	cmd.Env = environment(e, last)
	if e.Stdin != nil && *e.Stdin != "" {
		cmd.Stdin = strings.NewReader(*e.Stdin)
	}

	var stdout, stderr bytes.Buffer
	var both lockedBuffer
	outputs := func(stream Logging, capture io.Writer) (io.Writer, func()) {
		if !e.Logging.shows(stream) {
			return io.MultiWriter(capture, &both), func() {}
		}
		lines := &lineWriter{emit: p.GetLogger(ctx).InfoStatus}
		return io.MultiWriter(capture, &both, lines), lines.flush
	}
	var flushStdout, flushStderr func()
	cmd.Stdout, flushStdout = outputs(logStdout, &stdout)
	cmd.Stderr, flushStderr = outputs(logStderr, &stderr)

	err := runGroup(ctx, cmd)
	flushStdout()
	flushStderr()
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, script, both.buffer.String())
	}
	if err := collect(cmd.Dir, e, last); err != nil {
		return err
	}
	last.Stdout = strings.TrimSuffix(stdout.String(), "\n")
	last.Stderr = strings.TrimSuffix(stderr.String(), "\n")
	return nil
}

// environment is that of this process, then the resource's, then what the last run printed: the later one wins.
func environment(e Execution, last *Result) []string {
	env := os.Environ()
	if e.Environment != nil {
		for name, value := range *e.Environment {
			env = append(env, name+"="+value)
		}
	}
	if e.AddPreviousOutputInEnv != nil && !*e.AddPreviousOutputInEnv {
		return env
	}
	// Not set rather than empty where nothing was printed: a script can then tell a first run with ${X+set}.
	if last.Stdout != "" {
		env = append(env, "PULUMI_COMMAND_STDOUT="+last.Stdout)
	}
	if last.Stderr != "" {
		env = append(env, "PULUMI_COMMAND_STDERR="+last.Stderr)
	}
	return env
}
