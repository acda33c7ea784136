package main

import (
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

var unknown = property.New(property.Computed)

func TestAPreviewRunsNothingAndKnowsNoOutput(t *testing.T) {
	s := start(t)
	inputs := property.NewMap(props{"create": text("exit 1"), "environment": object(props{"A": text("new")})})
	created, err := s.Create(p.CreateRequest{Urn: urn("command:local:Command"), Properties: inputs, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	state := s.mustCreate(t, props{"create": text("echo made"), "environment": object(props{"A": text("old")})})
	updated, err := s.Update(p.UpdateRequest{
		ID: "it", Urn: urn("command:local:Command"), State: state, DryRun: true,
		Inputs: property.NewMap(props{"create": text("echo made"), "environment": object(props{"A": text("new")})}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []property.Map{created.Properties, updated.Properties} {
		expect(t, got, "stdout", unknown)
		expect(t, got, "stderr", unknown)
		expect(t, got, "environment", object(props{"A": text("new")}))
	}
}

func TestADiffNamesWhatChanged(t *testing.T) {
	base := func(more props) property.Map {
		all := props{"create": text("c"), "delete": text("d"), "triggers": list("a")}
		for name, value := range more {
			all[name] = value
		}
		return property.NewMap(all)
	}
	for _, c := range []struct {
		name string
		news property.Map
		want map[string]p.DiffKind
	}{
		{"nothing", base(nil), map[string]p.DiffKind{}},
		{"the script", base(props{"create": text("x")}), map[string]p.DiffKind{"create": p.Update}},
		{"the delete script", base(props{"delete": text("x")}), map[string]p.DiffKind{"delete": p.Update}},
		{
			"the environment", base(props{"environment": object(props{"A": text("b")})}),
			map[string]p.DiffKind{"environment": p.Add},
		},
		// Not a replacement yet: the engine makes it one, by replaceOnChanges of the SDK.
		{"a trigger", base(props{"triggers": list("b")}), map[string]p.DiffKind{"triggers[0]": p.Update}},
		{"no triggers", property.NewMap(props{"create": text("c"), "delete": text("d")}), map[string]p.DiffKind{
			"triggers": p.DeleteReplace,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := start(t).Diff(p.DiffRequest{
				ID: "it", Urn: urn("command:local:Command"), State: base(nil), OldInputs: base(nil), Inputs: c.news,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.HasChanges != (len(c.want) > 0) || len(got.DetailedDiff) != len(c.want) {
				t.Fatalf("got %+v, want %v", got, c.want)
			}
			for path, kind := range c.want {
				if got.DetailedDiff[path].Kind != kind {
					t.Errorf("%s: %v, want %v", path, got.DetailedDiff[path].Kind, kind)
				}
			}
		})
	}
}

func TestASecretInputStaysSecretAndOutputsDoNotBecomeSo(t *testing.T) {
	environment := object(props{"TOKEN": text("s3cret").WithSecret(true)})
	got := start(t).mustCreate(t, props{"create": text("echo $TOKEN"), "environment": environment})
	if !got.Get("environment").HasSecrets() {
		t.Error("the environment lost its secret: it would be written to the state in the clear")
	}
	// As the real plugin: a program that prints a secret has to name stdout in additionalSecretOutputs.
	expect(t, got, "stdout", text("s3cret"))
}
