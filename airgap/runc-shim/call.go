package main

import (
	"path/filepath"
	"strings"
)

// call is what the shim has to know of a runc command line.
type call struct {
	command string
	bundle  string
	process string
}

func (c call) configPath() string { return filepath.Join(c.bundle, "config.json") }

// Flags of runc that take their value from the next argument. Any other flag is a switch.
var (
	globalFlags  = map[string]bool{"log": true, "log-format": true, "root": true, "criu": true, "rootless": true}
	commandFlags = map[string]bool{
		"bundle": true, "b": true, "process": true, "p": true,
		"console-socket": true, "pid-file": true, "preserve-fds": true, "pidfd-socket": true,
		"cwd": true, "env": true, "e": true, "user": true, "u": true, "additional-gids": true, "g": true,
		"process-label": true, "apparmor": true, "cap": true, "c": true, "cgroup": true,
	}
)

// parse reads runc's arguments, without argv[0]. Flags end at the container's name,
// so the arguments of a command that runs inside are never taken for runc's.
func parse(args []string) call {
	c := call{bundle: "."}
	args = flags(args, globalFlags, func(string, string) {})
	if len(args) == 0 {
		return c
	}
	c.command = args[0]
	flags(args[1:], commandFlags, func(name, value string) {
		switch name {
		case "bundle", "b":
			c.bundle = value
		case "process", "p":
			c.process = value
		}
	})
	return c
}

// flags hands every flag to seen and returns what follows the last one.
func flags(args []string, valued map[string]bool, seen func(name, value string)) []string {
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return args[1:]
		}
		if !strings.HasPrefix(arg, "-") {
			return args
		}
		args = args[1:]
		name, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !joined && valued[name] && len(args) > 0 {
			value, args = args[0], args[1:]
		}
		seen(name, value)
	}
	return nil
}
