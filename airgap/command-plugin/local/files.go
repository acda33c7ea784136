package local

import (
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/gobwas/glob"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// collect puts the files under dir that assetPaths and archivePaths name into result.
func collect(dir string, e Execution, result *Result) error {
	if e.AssetPaths != nil {
		found, err := find(dir, *e.AssetPaths)
		if err != nil {
			return err
		}
		assets := make(map[string]*types.AssetOrArchive, len(found))
		for name, asset := range found {
			assets[name] = &types.AssetOrArchive{Asset: asset}
		}
		result.Assets = &assets
	}
	if e.ArchivePaths != nil {
		found, err := find(dir, *e.ArchivePaths)
		if err != nil {
			return err
		}
		members := make(map[string]any, len(found))
		for name, asset := range found {
			members[name] = asset
		}
		archive, err := resource.NewAssetArchive(members)
		if err != nil {
			return err
		}
		result.Archive = archive
	}
	return nil
}

// find returns the files under dir that the last pattern to match them includes. A pattern with a leading ! excludes.
func find(dir string, patterns []string) (map[string]*resource.Asset, error) {
	type rule struct {
		matches glob.Glob
		exclude bool
	}
	rules := make([]rule, len(patterns))
	for i, pattern := range patterns {
		text, exclude := strings.CutPrefix(pattern, "!")
		compiled, err := glob.Compile(text, '/')
		if err != nil {
			return nil, err
		}
		rules[i] = rule{compiled, exclude}
	}
	found := map[string]*resource.Asset{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		included := false
		for _, r := range rules {
			if r.matches.Match(name) {
				included = !r.exclude
			}
		}
		if !included {
			return nil
		}
		asset, err := resource.NewPathAsset(path.Join(dir, name))
		if err == nil {
			found[name] = asset
		}
		return err
	})
	return found, err
}
