package main

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

type props = map[string]property.Value

// TestMain keeps what the scripts of the tests print off the terminal.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// plugin is the provider as the engine sees it, and the cancellation of the process it would live in.
type plugin struct {
	integration.Server
	stop context.CancelFunc
}

func start(t *testing.T) plugin {
	t.Helper()
	stop, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	server, err := integration.NewServer(t.Context(), "command", semver.MustParse(version),
		integration.WithProvider(newProvider(stop)))
	if err != nil {
		t.Fatal(err)
	}
	return plugin{server, cancel}
}

func urn(token string) resource.URN {
	return resource.NewURN("stack", "project", "", tokens.Type(token), "it")
}

func (s plugin) create(inputs props) (property.Map, error) {
	got, err := s.Create(p.CreateRequest{Urn: urn("command:local:Command"), Properties: property.NewMap(inputs)})
	return got.Properties, err
}

func (s plugin) mustCreate(t *testing.T, inputs props) property.Map {
	t.Helper()
	got, err := s.create(inputs)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (s plugin) update(state property.Map, inputs props) (property.Map, error) {
	got, err := s.Update(p.UpdateRequest{
		ID: "it", Urn: urn("command:local:Command"), State: state, Inputs: property.NewMap(inputs),
	})
	return got.Properties, err
}

func (s plugin) delete(state property.Map) error {
	return s.Delete(p.DeleteRequest{ID: "it", Urn: urn("command:local:Command"), Properties: state})
}

func text(s string) property.Value { return property.New(s) }

func object(members props) property.Value { return property.New(property.NewMap(members)) }

func list(items ...string) property.Value {
	values := make([]property.Value, len(items))
	for i, item := range items {
		values[i] = text(item)
	}
	return property.New(property.NewArray(values))
}

// recorded collects what the provider logs for the user while the test runs.
type recorded struct {
	mutex sync.Mutex
	lines []string
}

func record(t *testing.T) *recorded {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	r := &recorded{}
	slog.SetDefault(slog.New(r))
	return r
}

func (r *recorded) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorded) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorded) WithGroup(string) slog.Handler            { return r }
func (r *recorded) Handle(_ context.Context, entry slog.Record) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.lines = append(r.lines, entry.Message)
	return nil
}
