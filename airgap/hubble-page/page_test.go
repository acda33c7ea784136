package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

const denied = `{"flow":{"time":"2026-01-01T00:00:00Z","verdict":"DROPPED","IP":{"source":"10.0.0.1","destination":"10.0.0.2"},` +
	`"l4":{"TCP":{"source_port":4,"destination_port":9090,"flags":{"SYN":true}}},"source":{"namespace":"default","pod_name":"a-1",` +
	`"workloads":[{"name":"a"}]},"destination":{"labels":["reserved:world"]},"event_type":{"type":5},"drop_reason_desc":"POLICY_DENY",` +
	`"ingress_denied_by":[{"name":"no-9090","namespace":"default","kind":"CiliumNetworkPolicy"}]}}`

func says(lines ...string) func(context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, "sh", "-c", `printf '%s\n' "$@"; exec sleep 1000`, "sh", strings.Join(lines, "\n"))
	}
}

// next is the data of the next event of that name.
func next(t *testing.T, from *bufio.Reader, event string) string {
	t.Helper()
	for found := false; ; {
		line, err := from.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended before an event %q: %v", event, err)
		}
		if data, is := strings.CutPrefix(line, "data: "); is && found {
			return strings.TrimSpace(data)
		}
		found = found && line != "\n" || line == "event: "+event+"\n"
	}
}

func open(t *testing.T, handler http.Handler) (*bufio.Reader, func()) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	ctx, leave := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(leave)
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/flows", nil)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return bufio.NewReader(response.Body), leave
}

func TestADroppedFlowComesWithItsPolicyAndWhatCannotBeReadIsCounted(t *testing.T) {
	stream, _ := open(t, feed(context.Background(), says(denied, "garbage", `{"lost_events":{"num_events_lost":"3"}}`)))
	var got Parcel
	for got.Lost == 0 {
		var parcel Parcel
		if err := json.Unmarshal([]byte(next(t, stream, "flows")), &parcel); err != nil {
			t.Fatal(err)
		}
		got.Flows, got.Unread, got.Lost = append(got.Flows, parcel.Flows...), got.Unread+parcel.Unread, got.Lost+parcel.Lost
	}
	if len(got.Flows) != 1 || got.Unread != 1 || got.Lost != 3 {
		t.Fatalf("what was lost or not understood would pass for a quiet cluster: %+v", got)
	}
	flow := got.Flows[0]
	if flow.Policies[0].Name != "no-9090" || flow.Reason != "policy deny" || flow.Event != "policy" {
		t.Errorf("nobody would know which policy dropped it: %+v", flow)
	}
	if flow.Source.App != "a" || flow.Destination.App != "world" || flow.Destination.Port != 9090 || flow.Flags != "SYN" {
		t.Errorf("the ends are not those of the flow: %+v", flow)
	}
}

func TestTheReasonWhyTheRelayIsSilentIsShownAndItIsAskedAgain(t *testing.T) {
	refused := func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, "sh", "-c", "echo no such relay >&2; exit 1")
	}
	stream, _ := open(t, feed(context.Background(), refused))
	for range 2 {
		if why := next(t, stream, "trouble"); !strings.Contains(why, "no such relay") {
			t.Fatalf("an empty page would pass for a quiet cluster: %s", why)
		}
	}
}

func TestHubbleRunsOnlyWhileSomebodyLooks(t *testing.T) {
	ended := make(chan struct{})
	var process *exec.Cmd
	handler := feed(context.Background(), func(ctx context.Context) *exec.Cmd {
		process = says(denied)(ctx)
		return process
	})
	stream, leave := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		handler.ServeHTTP(w, r)
	}))
	next(t, stream, "flows")
	leave()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("each page that was ever opened would cost CPU for ever")
	}
	if process.ProcessState == nil {
		t.Error("hubble outlived the page")
	}
}

func TestThereAreSeatsForSoManyAndTheNextIsToldWhy(t *testing.T) {
	server := httptest.NewServer(feed(context.Background(), says(denied)))
	defer server.Close()
	for range mostViewers {
		response, err := http.Get(server.URL + "/api/flows")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		next(t, bufio.NewReader(response.Body), "flows")
	}
	response, err := http.Get(server.URL + "/api/flows")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("forgotten pages would starve the node: %s", response.Status)
	}
}

func TestDropsAndQueriesAreKeptWhenThereIsTooMuch(t *testing.T) {
	full := &parcel{}
	for number := range 1000 {
		full.add(Flow{Verdict: "FORWARDED", Node: fmt.Sprint(number)})
		full.add(Flow{Verdict: "TRACED", Node: fmt.Sprint(number)})
	}
	for range 1000 {
		full.add(Flow{Verdict: "FORWARDED", DNS: &DNS{}})
	}
	full.add(Flow{Verdict: "DROPPED"})
	got := full.take()
	if last := got.Flows[len(got.Flows)-2:]; last[0].DNS == nil || last[1].Verdict != "DROPPED" {
		t.Errorf("what somebody looks for was left out for what nobody reads: %+v", last)
	}
	if left := 3001 - len(got.Flows); got.Skipped != left || left != 3000-mostOrdinary-mostDNS {
		t.Errorf("%d left out, of which %d in silence", left, left-got.Skipped)
	}
	if full.take() != nil {
		t.Error("a quiet cluster would send parcels with nothing in them")
	}
}

func TestAQueryWithoutANameIsOneAndAnAnswerHasItsCode(t *testing.T) {
	for text, query := range map[string]string{
		`{"verdict":"FORWARDED","l4":{"UDP":{"source_port":9,"destination_port":53}}}`:                     "",
		`{"verdict":"FORWARDED","l7":{"dns":{"query":"a.example.","rcode":3,"qtypes":["A"]}},"Type":"L7"}`: "a.example.",
	} {
		var raw rawFlow
		if err := json.Unmarshal([]byte(text), &raw); err != nil {
			t.Fatal(err)
		}
		if got := raw.short(); got.DNS == nil || got.DNS.Query != query {
			t.Errorf("the query is not shown as one: %s", text)
		}
	}
}

func TestThePageHandsTheFeedOnAtOnceAndSaysWhatItIs(t *testing.T) {
	flows := httptest.NewServer(feed(context.Background(), says(denied)))
	t.Cleanup(flows.Close) // after the stream below has ended
	handler := page(strings.TrimPrefix(flows.URL, "http://"))
	stream, _ := open(t, handler)
	next(t, stream, "flows")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	if !strings.Contains(answer.Body.String(), "A stand-in, not Hubble UI.") {
		t.Error("somebody would take it for Hubble UI")
	}
	if !strings.HasPrefix(answer.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("a browser would ask other hosts if a name in the cluster said so")
	}
}

func TestNothingIsLoadedFromElsewhereAndNoNameOfTheClusterIsMarkup(t *testing.T) {
	elsewhere, markup := regexp.MustCompile(`(src|href|url\(|import|fetch\(|Source\()\W*(https?:)?//`), regexp.MustCompile(`innerHTML|insertAdjacentHTML|document\.write`)
	seen := 0
	err := fs.WalkDir(static, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		seen++
		text, err := fs.ReadFile(static, path)
		if elsewhere.Match(text) || markup.Match(text) {
			t.Errorf("%s: %s%s", path, elsewhere.Find(text), markup.Find(text))
		}
		return err
	})
	if err != nil || seen < 6 {
		t.Errorf("%d files were looked at: %v", seen, err)
	}
}
