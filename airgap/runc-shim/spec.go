package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const sysResource = "CAP_SYS_RESOURCE"

// object keeps what it does not look into byte for byte: large numbers and unknown
// fields of a newer spec pass through.
type object map[string]json.RawMessage

// dropFromConfig takes the capability out of an OCI config.json.
func dropFromConfig(config []byte) ([]byte, error) {
	return inField(config, "process", dropFromProcess)
}

// dropFromProcess takes the capability out of an OCI process object.
func dropFromProcess(process []byte) ([]byte, error) {
	return inField(process, "capabilities", dropFromSets)
}

func dropFromSets(sets []byte) ([]byte, error) {
	var byName map[string][]string
	if err := json.Unmarshal(sets, &byName); err != nil {
		return nil, fmt.Errorf("capabilities: %w", err)
	}
	for name, set := range byName {
		if set == nil {
			continue
		}
		kept := make([]string, 0, len(set))
		for _, capability := range set {
			if capability != sysResource {
				kept = append(kept, capability)
			}
		}
		byName[name] = kept
	}
	return json.Marshal(byName)
}

// inField applies change to one field; an object without that field stays as it is.
func inField(text []byte, field string, change func([]byte) ([]byte, error)) ([]byte, error) {
	var whole object
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	value, found := whole[field]
	if !found || bytes.Equal(value, []byte("null")) {
		return text, nil
	}
	changed, err := change(value)
	if err != nil {
		return nil, err
	}
	whole[field] = changed
	return json.Marshal(whole)
}

// rewrite replaces path in one step, so that a reader never sees half a file.
func rewrite(path string, change func([]byte) ([]byte, error)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	changed, err := change(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if bytes.Equal(text, changed) {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".runc-shim-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err := temp.Write(changed); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Chmod(info.Mode().Perm()); err != nil {
		temp.Close()
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
