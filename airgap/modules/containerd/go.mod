module cni-migration/airgap/containerd

go 1.26.6

require github.com/containerd/containerd/v2 v2.2.9
