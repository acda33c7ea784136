package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

const (
	// How many pages may be open at once; each has a `hubble` of its own, which ends with it.
	mostViewers = 6
	// What is shown of the time before a page was opened, in events of each node. A quiet node of Kind has some 25 a
	// second, and an agent keeps 4,095.
	history = "1000"
	// Between two parcels to a page, and between two tries to reach the relay.
	pace, again = 500 * time.Millisecond, 2 * time.Second
	// A quiet cluster sends nothing; by this a connection that is gone is found out.
	beat = 15 * time.Second
	// The longest line of `hubble` that is read.
	longest = 1 << 20
)

// observe is the command of which the lines are flows, in Hubble's own JSON.
func observe(relay string) func(context.Context) *exec.Cmd {
	if relay == "" {
		relay = "hubble-relay:80"
	}
	return func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, "hubble", "observe", "--server", relay, "--follow", "--last", history,
			"--output", "jsonpb")
	}
}

// feed sends flows as server-sent events (`flows`, and `trouble` with a sentence) for as long as somebody looks: with no
// page open nothing runs.
func feed(stop context.Context, command func(context.Context) *exec.Cmd) http.Handler {
	seats := make(chan struct{}, mostViewers)
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", healthy)
	mux.HandleFunc("/api/flows", func(w http.ResponseWriter, r *http.Request) {
		select {
		case seats <- struct{}{}:
			defer func() { <-seats }()
		default:
			http.Error(w, fmt.Sprintf("%d pages are open already; close one", mostViewers), http.StatusServiceUnavailable)
			return
		}
		viewer, leave := context.WithCancel(r.Context())
		defer leave()
		defer context.AfterFunc(stop, leave)()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		watch(viewer, &stream{to: http.NewResponseController(w), w: w}, command)
	})
	return mux
}

// watch runs the command until the viewer leaves, and again where it ends before.
func watch(viewer context.Context, out *stream, command func(context.Context) *exec.Cmd) {
	for viewer.Err() == nil {
		why := run(viewer, out, command)
		if viewer.Err() != nil || out.send("trouble", map[string]string{"why": why}) != nil {
			return
		}
		select {
		case <-viewer.Done():
		case <-time.After(again):
		}
	}
}

// run sends what one run of the command says, and returns why it ended.
func run(viewer context.Context, out *stream, command func(context.Context) *exec.Cmd) string {
	ctx, end := context.WithCancel(viewer)
	defer end()
	process := command(ctx)
	said := &tail{}
	process.Stderr = said
	lines, err := process.StdoutPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		return err.Error()
	}
	parcel := &parcel{}
	read := make(chan error, 1)
	go func() { read <- parcel.fill(lines) }()
	tick, heart := time.NewTicker(pace), time.NewTicker(beat)
	defer tick.Stop()
	defer heart.Stop()
	for {
		select {
		case <-heart.C:
			if out.send("beat", struct{}{}) != nil {
				end() // nobody reads any more
			}
		case <-tick.C:
			if full := parcel.take(); full != nil && out.send("flows", full) != nil {
				end()
			}
		case err := <-read:
			if full := parcel.take(); full != nil {
				_ = out.send("flows", full) // the viewer that is gone shows at the next sending
			}
			end()
			if ended := process.Wait(); err == nil {
				err = ended
			}
			return said.or(err)
		}
	}
}

// stream writes server-sent events.
type stream struct {
	w  io.Writer
	to *http.ResponseController
}

func (s *stream) send(event string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, text); err != nil {
		return err
	}
	return s.to.Flush()
}

// tail keeps the end of what a process says.
type tail struct{ bytes.Buffer }

func (t *tail) Write(text []byte) (int, error) {
	n, err := t.Buffer.Write(text)
	if over := t.Len() - 2000; over > 0 {
		t.Next(over)
	}
	return n, err
}

// or is what was said, or the error where nothing was.
func (t *tail) or(err error) string {
	if said := strings.TrimSpace(t.String()); said != "" {
		return said
	}
	if err != nil {
		return err.Error()
	}
	return "hubble observe has ended"
}

// lines calls do for each line of in.
func lines(in io.Reader, do func([]byte)) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, longest)
	for scanner.Scan() {
		do(scanner.Bytes())
	}
	return scanner.Err()
}
