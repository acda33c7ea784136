module cni-migration/airgap/runc-shim

go 1.22
