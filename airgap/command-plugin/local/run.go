package local

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Run is the function: its command runs each time the program does, previews included.
type Run struct{ Stop context.Context }

type RunInputs struct {
	Execution
	Command string `pulumi:"command"`
}

type RunOutputs struct {
	RunInputs
	Result
}

func (r *Run) Annotate(a infer.Annotator) {
	a.Describe(&r, "A local command run unconditionally, on every preview and every deployment.")
}

func (i *RunInputs) Annotate(a infer.Annotator) { a.Describe(&i.Command, "The command to run.") }

func (r *Run) Invoke(
	ctx context.Context, req infer.FunctionRequest[RunInputs],
) (infer.FunctionResponse[RunOutputs], error) {
	out := RunOutputs{RunInputs: req.Input}
	err := execute(ctx, r.Stop, req.Input.Command, out.Execution, &out.Result)
	return infer.FunctionResponse[RunOutputs]{Output: out}, err
}
