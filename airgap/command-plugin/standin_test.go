package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestTheUserIsToldOnceThatThisIsTheStandIn(t *testing.T) {
	log := record(t)
	if err := start(t).Configure(p.ConfigureRequest{}); err != nil {
		t.Fatal(err)
	}
	if len(log.lines) != 1 || log.lines[0] != standInNotice {
		t.Errorf("logged %q", log.lines)
	}
}

func TestATokenNotServedIsNamedAndTheRealPluginWithIt(t *testing.T) {
	s := start(t)
	_, check := s.Check(p.CheckRequest{Urn: urn("command:remote:Command")})
	_, read := s.Read(p.ReadRequest{Urn: urn("command:remote:Command")})
	_, invoke := s.Invoke(p.InvokeRequest{Token: "command:remote:Command"})
	for _, err := range []error{
		check, read, invoke, s.Delete(p.DeleteRequest{Urn: urn("command:remote:Command")}),
	} {
		if err == nil || !strings.Contains(err.Error(), "command:remote:Command is not served") ||
			!strings.Contains(err.Error(), "pulumi plugin install resource command 1.2.1") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnUnknownPropertyIsRefused(t *testing.T) {
	got, err := start(t).Check(p.CheckRequest{
		Urn: urn("command:local:Command"), Inputs: property.NewMap(props{"crate": text("true")}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Failures) != 1 || got.Failures[0].Property != "crate" {
		t.Errorf("a misspelt property was let through: %+v", got)
	}
}

func TestTheSchemaHasTheTwoTokensWithTheirProperties(t *testing.T) {
	got, err := start(t).GetSchema(p.GetSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(got.Schema), &spec); err != nil {
		t.Fatal(err)
	}
	execution := []string{
		"addPreviousOutputInEnv", "archivePaths", "assetPaths", "dir", "environment", "interpreter", "logging", "stdin",
	}
	result := []string{"archive", "assets", "stderr", "stdout"}
	script := []string{"create", "delete", "triggers", "update"}
	command, run := spec.Resources["command:local:Command"], spec.Functions["command:local:run"]
	for _, c := range []struct {
		name      string
		got, want []string
	}{
		{"resources", keys(spec.Resources), []string{"command:local:Command"}},
		{"functions", keys(spec.Functions), []string{"command:local:run"}},
		{"types", keys(spec.Types), []string{"command:local:Logging"}},
		{"inputs", keys(command.InputProperties), slices.Concat(execution, script)},
		{"outputs", keys(command.Properties), slices.Concat(execution, result, script)},
		{"required", command.Required, []string{"stdout", "stderr"}},
		{"run's inputs", keys(run.Inputs.Properties), slices.Concat(execution, []string{"command"})},
		{"run's outputs", keys(run.ReturnType.ObjectTypeSpec.Properties), slices.Concat(execution, result, []string{"command"})},
	} {
		slices.Sort(c.got)
		slices.Sort(c.want)
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if spec.Version != version || !strings.Contains(spec.Description, "stand-in") {
		t.Errorf("version %q, description %q", spec.Version, spec.Description)
	}
}

func TestFilesAreFoundByGlobs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"assets/logos/logo.svg", "src/index.js", "src/secret.js", "other"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	globs := list("assets/**", "src/*.js", "!**secret.*")
	got := start(t).mustCreate(t, props{
		"create": text("true"), "dir": text(dir), "assetPaths": globs, "archivePaths": globs,
	})
	want := []string{"assets/logos/logo.svg", "src/index.js"}
	if found := keys(got.Get("assets").AsMap().AsMap()); !slices.Equal(found, want) {
		t.Errorf("assets %v, want %v", found, want)
	}
	// Below the engine an archive is a map with a signature.
	if found := keys(got.Get("archive").AsMap().Get("assets").AsMap().AsMap()); !slices.Equal(found, want) {
		t.Errorf("archive %v, want %v", found, want)
	}
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
