package main

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"

	"cni-migration/airgap/command-plugin/local"
)

const (
	standInNotice = "stand-in for the command provider (cni-migration air-gapped kit)"
	served        = "serves command:local:Command and command:local:run only"
)

// newProvider returns the provider. When stop is done, every command still running is killed.
func newProvider(stop context.Context) p.Provider {
	return infer.Wrap(unserved(), infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "Command (stand-in)",
			Description: standInNotice + ": " + served,
			License:     "Apache-2.0",
			Repository:  "https://github.com/pulumi/pulumi-command",
			Publisher:   "cni-migration",
		},
		Resources: []infer.InferredResource{infer.Resource(&local.Command{Stop: stop})},
		Functions: []infer.InferredFunction{infer.Function(&local.Run{Stop: stop})},
	})
}
