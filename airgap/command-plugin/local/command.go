// Package local holds the two things served: the resource command:local:Command and the function command:local:run.
// The package's name is the middle part of both tokens.
package local

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Command is the resource. When Stop is done, a command still running is killed.
type Command struct{ Stop context.Context }

// CommandInputs are the resource's inputs.
//
// The tag on Triggers alone does not make the engine replace: a change is reported below it, as triggers[0]. The SDKs
// add replaceOnChanges for triggers[*]. The real plugin has it the same way.
type CommandInputs struct {
	Triggers *[]any  `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create   *string `pulumi:"create,optional"`
	Update   *string `pulumi:"update,optional"`
	Delete   *string `pulumi:"delete,optional"`
	Execution
}

// CommandState is what is kept: the inputs, and what the last create or update left.
type CommandState struct {
	CommandInputs
	Result
}

func (c *Command) Annotate(a infer.Annotator) {
	a.Describe(&c, "A local command run when the resource is created, updated or deleted.")
}

func (i *CommandInputs) Annotate(a infer.Annotator) {
	a.Describe(&i.Triggers, "The resource is replaced when one of these values changes.")
	a.Describe(&i.Create, "The command to run on create, and on update where `update` is not set.")
	a.Describe(&i.Update, "The command to run when an input other than `triggers` changes.")
	a.Describe(&i.Delete, "The command to run on delete. The one in the state runs, not the program's.")
}

func (c *Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandInputs],
) (infer.CreateResponse[CommandState], error) {
	state := CommandState{CommandInputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun {
		err = state.run(ctx, c.Stop, req.Inputs.Create)
	}
	return infer.CreateResponse[CommandState]{ID: id, Output: state}, err
}

func (c *Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandInputs, CommandState],
) (infer.UpdateResponse[CommandState], error) {
	state := CommandState{CommandInputs: req.Inputs, Result: req.State.Result}
	script := req.Inputs.Update
	if script == nil {
		script = req.Inputs.Create
	}
	var err error
	if !req.DryRun {
		err = state.run(ctx, c.Stop, script)
	}
	return infer.UpdateResponse[CommandState]{Output: state}, err
}

func (c *Command) Delete(ctx context.Context, req infer.DeleteRequest[CommandState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, c.Stop, req.State.Delete)
}

// run does nothing where there is no script: each of the three may be left out.
func (s *CommandState) run(ctx, stop context.Context, script *string) error {
	if script == nil {
		return nil
	}
	return execute(ctx, stop, *script, s.Execution, &s.Result)
}
