// runc-shim stands in front of runc on machines whose capability bounding set
// lacks CAP_SYS_RESOURCE. runc refuses a container that asks for a capability it
// cannot give ("unable to apply caps: operation not permitted"), and every
// privileged container asks for all of them. The shim takes that one capability
// out of the container's settings and becomes runc; where the bounding set is
// whole it becomes runc at once and changes nothing.
package main

import (
	"fmt"
	"os"
	"syscall"
)

func main() {
	if err := run(os.Args, os.Environ()); err != nil {
		fmt.Fprintln(os.Stderr, "runc-shim:", err)
		os.Exit(1)
	}
}

// run only returns on failure: on success this process has become runc.
func run(args, env []string) error {
	runc, err := findRunc(os.Getenv("PATH"), "/proc/self/exe")
	if err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	missing, err := lacksSysResource(string(status))
	if err != nil {
		return err
	}
	if missing {
		if err := adapt(parse(args[1:])); err != nil {
			return err
		}
	}
	return syscall.Exec(runc, append([]string{runc}, args[1:]...), env)
}

// adapt rewrites the one file that the call will read, if it reads one.
func adapt(c call) error {
	switch c.command {
	case "create", "run":
		return rewrite(c.configPath(), dropFromConfig)
	case "exec":
		if c.process == "" {
			return nil
		}
		return rewrite(c.process, dropFromProcess)
	}
	return nil
}
