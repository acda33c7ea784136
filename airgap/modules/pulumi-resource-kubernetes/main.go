// Command pulumi-resource-kubernetes is Pulumi's Kubernetes plugin, built from its Go module. The main package of that
// module embeds two files that it does not hold; here they are made from the module's own, with the version filled in.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version.Version, schema, terraformMapping)
}
