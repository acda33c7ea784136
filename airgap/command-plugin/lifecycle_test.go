package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestACreateRunsAsItsInputsSay(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name           string
		inputs         props
		stdout, stderr string
	}{
		{"the default interpreter is a shell", props{"create": text("x=1; echo $((x+1)); echo e >&2")}, "2", "e"},
		{"one trailing newline is cut", props{"create": text(`printf 'a\n\n'`)}, "a\n", ""},
		{"other white space stays", props{"create": text(`printf ' a \t'`)}, " a \t", ""},
		{"interpreter", props{"create": text("a b"), "interpreter": list("printf", "<%s>")}, "<a b>", ""},
		{"an empty interpreter is none", props{"create": text("echo a"), "interpreter": list()}, "a", ""},
		{"stdin", props{"create": text("cat"), "stdin": text("line\nline")}, "line\nline", ""},
		{"no stdin is an empty one", props{"create": text("cat; echo end")}, "end", ""},
		{"dir", props{"create": text("pwd -P"), "dir": text(dir)}, dir, ""},
		{"environment", props{"create": text("echo $A"), "environment": object(props{"A": text("b c")})}, "b c", ""},
		{"a first run has no previous output", props{"create": text("echo ${PULUMI_COMMAND_STDOUT-unset}")}, "unset", ""},
		{"no create does nothing", props{"update": text("exit 1")}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := start(t).mustCreate(t, c.inputs)
			expect(t, got, "stdout", text(c.stdout))
			expect(t, got, "stderr", text(c.stderr))
			for name, value := range c.inputs {
				expect(t, got, name, value)
			}
		})
	}
}

func TestAnUpdateRunsUpdateOrElseCreate(t *testing.T) {
	s := start(t)
	print := `echo "$SCRIPT ${PULUMI_COMMAND_STDOUT-unset} ${PULUMI_COMMAND_STDERR-unset}"`
	state := s.mustCreate(t, props{"create": text("echo out; echo err >&2")})
	for _, c := range []struct {
		name   string
		inputs props
		stdout string
	}{
		{"update where it is set", props{"create": text("exit 1"), "update": text("echo u; " + print)}, "u\n out err"},
		{"create where it is not", props{"create": text("echo c; " + print)}, "c\n out err"},
		{"neither keeps the output", props{}, "out"},
		{
			"previous output can be left out",
			props{"create": text(print), "addPreviousOutputInEnv": property.New(false)},
			" unset unset",
		},
		{
			"previous output wins over the environment",
			props{"create": text(print), "environment": object(props{"PULUMI_COMMAND_STDOUT": text("mine")})},
			" out err",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.update(state, c.inputs)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, got, "stdout", text(c.stdout))
		})
	}
}

func TestADeleteRunsTheScriptInTheState(t *testing.T) {
	s := start(t)
	trace := filepath.Join(t.TempDir(), "trace")
	state := s.mustCreate(t, props{
		"create":      text("echo made"),
		"delete":      text(`echo "$WHICH $PULUMI_COMMAND_STDOUT" >"$TRACE"`),
		"environment": object(props{"TRACE": text(trace), "WHICH": text("old")}),
	})
	if err := s.delete(state); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(trace); err != nil || string(got) != "old made\n" {
		t.Errorf("the delete script left %q (%v); it has to run with the state's environment and output", got, err)
	}
}

func TestADeleteWithoutAScriptDoesNothing(t *testing.T) {
	s := start(t)
	if err := s.delete(s.mustCreate(t, props{"create": text("true"), "update": text("exit 1")})); err != nil {
		t.Error(err)
	}
}

func TestAFailureTellsTheScriptAndAllItPrinted(t *testing.T) {
	s := start(t)
	state := s.mustCreate(t, props{"create": text("true"), "delete": text("echo d; exit 9")})
	for _, c := range []struct {
		name string
		run  func() error
		want string
	}{
		{
			"create", func() error {
				_, err := s.create(props{"create": text(`echo "out"; sync; echo err >&2; exit 7`)})
				return err
			},
			"exit status 7: running \"echo \\\"out\\\"; sync; echo err >&2; exit 7\":\nout\nerr\n",
		},
		{
			"update", func() error {
				_, err := s.update(state, props{"create": text("true"), "update": text("exit 8")})
				return err
			},
			"exit status 8: running \"exit 8\":\n",
		},
		{"delete", func() error { return s.delete(state) }, "exit status 9: running \"echo d; exit 9\":\nd\n"},
		{
			"no such dir", func() error {
				_, err := s.create(props{"create": text("true"), "dir": text("/nonexistent")})
				return err
			},
			"chdir /nonexistent: no such file or directory: running \"true\":\n",
		},
		{
			"logging changes nothing", func() error {
				_, err := s.create(props{"create": text("echo o; exit 1"), "logging": text("none")})
				return err
			},
			"exit status 1: running \"echo o; exit 1\":\no\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(); err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLoggingShowsTheStreamsAskedFor(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for logging, want := range map[string]string{
		"": "err out " + long, "stdoutAndStderr": "err out " + long, "stdout": "out " + long, "stderr": "err", "none": "",
	} {
		t.Run("logging="+logging, func(t *testing.T) {
			log := record(t)
			inputs := props{
				"create": text("echo err >&2; sleep 0.1; echo out; head -c 200000 /dev/zero | tr '\\0' x"),
			}
			if logging != "" {
				inputs["logging"] = text(logging)
			}
			got := start(t).mustCreate(t, inputs)
			expect(t, got, "stdout", text("out\n"+long))
			if shown := strings.Join(log.lines, " "); shown != want {
				t.Errorf("shown %.40q (%d bytes), want %.40q (%d bytes)", shown, len(shown), want, len(want))
			}
		})
	}
}

func TestAFunctionRunsItsCommand(t *testing.T) {
	s := start(t)
	got, err := s.Invoke(p.InvokeRequest{
		Token: "command:local:run",
		Args:  property.NewMap(props{"command": text("cat; exit $N"), "stdin": text("in"), "environment": object(props{"N": text("0")})}),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, got.Return, "stdout", text("in"))
	_, err = s.Invoke(p.InvokeRequest{
		Token: "command:local:run", Args: property.NewMap(props{"command": text("echo no; exit 3")}),
	})
	if err == nil || err.Error() != "exit status 3: running \"echo no; exit 3\":\nno\n" {
		t.Errorf("a failing command was reported as %v", err)
	}
}

func expect(t *testing.T, got property.Map, name string, want property.Value) {
	t.Helper()
	if value := got.Get(name); !value.Equals(want) {
		t.Errorf("%s is %v, want %v", name, value, want)
	}
}
