package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A child holds the write end of a fifo: its end of file is the end of every process that the script started.
const (
	waiting = `exec 9>"$FIFO"; sleep 60 & echo ready >&9; wait`
	leaving = `exec 9>"$FIFO"; { while kill -0 $$ 2>&-; do sleep 0.01; done; echo ready >&9; sleep 60; } & exit 0`
)

func TestCancellationKillsTheWholeProcessGroup(t *testing.T) {
	for _, c := range []struct {
		name, script, want string
		cancel             func(plugin) error
	}{
		{"by the engine", waiting, "signal: killed: running", func(s plugin) error { return s.Cancel() }},
		{"by the plugin's end", waiting, "signal: killed: running", func(s plugin) error { s.stop(); return nil }},
		{"after the shell has ended", leaving, "context canceled: running", func(s plugin) error { return s.Cancel() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			s := start(t)
			ended := make(chan error, 1)
			go func() {
				_, err := s.create(props{"create": text(c.script), "environment": object(props{"FIFO": text(fifo)})})
				ended <- err
			}()
			alive, err := os.Open(fifo)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = alive.Close() }()
			reader := bufio.NewReader(alive)
			if line, err := reader.ReadString('\n'); line != "ready\n" {
				t.Fatalf("the script did not start: %q, %v", line, err)
			}
			if err := c.cancel(s); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-ended:
				if err == nil || !strings.HasPrefix(err.Error(), c.want) {
					t.Errorf("create ended with %v, want %q", err, c.want)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("what the script had started lives on, and the operation waits for it")
			}
			if _, err := io.ReadAll(reader); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACancelledPluginStartsNoCommand(t *testing.T) {
	s := start(t)
	trace := filepath.Join(t.TempDir(), "trace")
	if err := s.Cancel(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.create(props{"create": text("touch " + trace)}); err == nil {
		t.Error("a create after the cancellation reported success")
	}
	if _, err := os.Stat(trace); !os.IsNotExist(err) {
		t.Errorf("a command ran after the cancellation (%v)", err)
	}
}
