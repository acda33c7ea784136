// Command pulumi-resource-command stands in for the plugin of the same name of pulumi-command, where that plugin
// cannot be downloaded and its Go module cannot be had. It serves command:local:Command and command:local:run.
//
// It is built on pulumi-go-provider, as the real plugin is, and at the same version: what is secret, what a preview
// knows, and how a difference is reported come from that library and not from either plugin, so they are the same by
// construction. Built directly on the SDK's interfaces the stand-in would have to restate those rules.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is that of the plugin stood in for; the build stamps it.
var version = "1.2.1"

func main() {
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "pulumi-resource-command %s\n\n%s: %s.\n\nStarted by the Pulumi engine.\n",
			version, standInNotice, served)
		flag.PrintDefaults()
	}
	// The engine ends a plugin with SIGINT to the plugin's process group. The commands have groups of their own, so
	// that each can be killed whole, and must be ended from here.
	stop, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	if err := newProvider(stop).Run(stop, "command", version); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}
