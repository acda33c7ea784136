module cni-migration/airgap/pause

go 1.22
