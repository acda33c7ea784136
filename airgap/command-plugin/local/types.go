package local

import (
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Execution says how a command is to be run.
type Execution struct {
	Stdin                  *string            `pulumi:"stdin,optional"`
	Logging                *Logging           `pulumi:"logging,optional"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	AssetPaths             *[]string          `pulumi:"assetPaths,optional"`
	ArchivePaths           *[]string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// Result is what a command that ended well left.
type Result struct {
	Stdout  string                            `pulumi:"stdout"`
	Stderr  string                            `pulumi:"stderr"`
	Assets  *map[string]*types.AssetOrArchive `pulumi:"assets,optional"`
	Archive *resource.Archive                 `pulumi:"archive,optional"`
}

// Logging names the streams that are shown while the command runs. It does not change what is captured.
type Logging string

const (
	logStdout Logging = "stdout"
	logStderr Logging = "stderr"
	logBoth   Logging = "stdoutAndStderr"
	logNone   Logging = "none"
)

func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: string(logStdout), Value: logStdout, Description: "Log stdout only"},
		{Name: string(logStderr), Value: logStderr, Description: "Log stderr only"},
		{Name: string(logBoth), Value: logBoth, Description: "Log stdout and stderr (the default)"},
		{Name: string(logNone), Value: logNone, Description: "Log nothing"},
	}
}

// shows reports whether a stream, logStdout or logStderr, is to be logged.
func (l *Logging) shows(stream Logging) bool { return l == nil || *l == logBoth || *l == stream }

func (e *Execution) Annotate(a infer.Annotator) {
	a.Describe(&e.Stdin, "What the command reads on its standard input.")
	a.Describe(&e.Logging, "Which of stdout and stderr to log while the command runs; both if not set.")
	a.Describe(&e.Interpreter, "The program, with arguments, that gets the command as its last argument; "+
		"`[\"/bin/sh\", \"-c\"]` if not set.")
	a.Describe(&e.Dir, "The directory to run in. It must exist.")
	a.Describe(&e.Environment, "Variables added to the environment.")
	a.Describe(&e.AssetPaths, "Globs of files to return as `assets`; a leading `!` excludes, `**` crosses `/`.")
	a.Describe(&e.ArchivePaths, "Globs of files to return as `archive`; a leading `!` excludes, `**` crosses `/`.")
	a.Describe(&e.AddPreviousOutputInEnv, "Whether the last create's or update's output is put into the environment "+
		"as PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR; true if not set.")
}

func (r *Result) Annotate(a infer.Annotator) {
	a.Describe(&r.Stdout, "What the command wrote to stdout, less one trailing newline.")
	a.Describe(&r.Stderr, "What the command wrote to stderr, less one trailing newline.")
	a.Describe(&r.Assets, "The files that `assetPaths` found, by path relative to `dir`.")
	a.Describe(&r.Archive, "The files that `archivePaths` found.")
}
