package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The bit of CAP_SYS_RESOURCE in linux/capability.h.
const sysResourceBit = 24

// Containers are started with odd PATHs, also with none: runc is in one of these.
var usualFolders = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// findRunc returns the first runc on path, then in the usual folders, that is not self.
func findRunc(path, self string) (string, error) {
	own, err := os.Stat(self)
	if err != nil {
		return "", err
	}
	for _, folder := range append(filepath.SplitList(path), usualFolders...) {
		candidate := filepath.Join(folder, "runc")
		info, err := os.Stat(candidate)
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 || os.SameFile(own, info) {
			continue
		}
		return candidate, nil
	}
	return "", errors.New("no runc but this shim itself on PATH or in the usual folders")
}

// lacksSysResource reads the text of /proc/self/status.
func lacksSysResource(status string) (bool, error) {
	for _, line := range strings.Split(status, "\n") {
		text, found := strings.CutPrefix(line, "CapBnd:")
		if !found {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
		if err != nil {
			return false, fmt.Errorf("bounding set %q: %w", strings.TrimSpace(text), err)
		}
		return set&(1<<sysResourceBit) == 0, nil
	}
	return false, errors.New("no CapBnd line in /proc/self/status")
}
