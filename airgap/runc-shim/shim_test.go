package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	whole   = "Name:\tx\nCapBnd:\t000001ffffffffff\n"
	without = "Name:\tx\nCapBnd:\t000001fffeffffff\n"
)

func TestTheBoundingSetDecides(t *testing.T) {
	for status, want := range map[string]bool{whole: false, without: true} {
		got, err := lacksSysResource(status)
		if err != nil || got != want {
			t.Errorf("lacksSysResource(%q) = %v, %v; want %v", status, got, err, want)
		}
	}
	for _, bad := range []string{"", "CapBnd:\tnonsense\n"} {
		if _, err := lacksSysResource(bad); err == nil {
			t.Errorf("status %q must be an error: guessing would change containers on a whole machine", bad)
		}
	}
}

func TestTheCommandLineIsReadAsRuncReadsIt(t *testing.T) {
	for line, want := range map[string]call{
		"--root /r --log /l --log-format json create --bundle /b --pid-file /p id": {command: "create", bundle: "/b"},
		"--root=/r --systemd-cgroup run -b /b -d id":                               {command: "run", bundle: "/b"},
		"create --no-pivot id":                                  {command: "create", bundle: "."},
		"--log exec exec --process /p --detach --pid-file x id": {command: "exec", bundle: ".", process: "/p"},
		"exec -p=/p id":                                         {command: "exec", bundle: ".", process: "/p"},
		"exec id tool --process /not-ours":                      {command: "exec", bundle: "."},
		"exec --env A=B --tty id sh -c --bundle":                {command: "exec", bundle: "."},
		"--version":                                             {bundle: "."},
		"kill --all id 9":                                       {command: "kill", bundle: "."},
	} {
		if got := parse(strings.Fields(line)); got != want {
			t.Errorf("parse(%q) = %+v; want %+v", line, got, want)
		}
	}
}

func TestOnlyTheOneCapabilityGoes(t *testing.T) {
	config := `{"ociVersion":"1.0.2","big":18446744073709551615,"process":{"oomScoreAdj":-998,"capabilities":{` +
		`"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE"],"ambient":null},"args":["<a>"]}}`
	want := `{"ociVersion":"1.0.2","big":18446744073709551615,"process":{"oomScoreAdj":-998,"capabilities":{` +
		`"bounding":["CAP_CHOWN"],"effective":[],"ambient":null},"args":["<a>"]}}`
	got, err := dropFromConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, got, []byte(want)) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if !strings.Contains(string(got), "18446744073709551615") {
		t.Errorf("a number lost its digits: %s", got)
	}
}

func TestASpecWithoutCapabilitiesStaysAsItIs(t *testing.T) {
	for _, config := range []string{`{}`, `{"process": {"args": ["x"]}}`, `{"process":null}`} {
		got, err := dropFromConfig([]byte(config))
		if err != nil || !sameJSON(t, got, []byte(config)) {
			t.Errorf("dropFromConfig(%s) = %s, %v", config, got, err)
		}
	}
	if _, err := dropFromConfig([]byte(`{"process":`)); err == nil {
		t.Error("half a file must be an error, not an empty config for runc")
	}
}

func TestARewriteKeepsTheModeAndLeavesNothingBeside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(`{"process":{"capabilities":{"bounding":["CAP_SYS_RESOURCE"]}}}`), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := adapt(parse([]string{"create", "--bundle", filepath.Dir(path), "id"})); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, text, []byte(`{"process":{"capabilities":{"bounding":[]}}}`)) {
		t.Errorf("config.json is now %s", text)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; want 0640", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the bundle has %v, %v; want config.json alone", entries, err)
	}
}

func TestTheShimDoesNotFindItself(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	shim := filepath.Join(first, "runc")
	if err := os.WriteFile(shim, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shim, filepath.Join(second, "runc")); err != nil {
		t.Fatal(err)
	}
	third := t.TempDir()
	real := filepath.Join(third, "runc")
	if err := os.WriteFile(real, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{first, second, third}, ":")
	if got, err := findRunc(path, shim); err != nil || got != real {
		t.Errorf("findRunc = %q, %v; want %q: a shim that finds itself never ends", got, err, real)
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var left, right any
	if err := json.Unmarshal(a, &left); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &right); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(left, right)
}
