module cni-migration/airgap/kind

go 1.26.6

require sigs.k8s.io/kind v0.33.0
