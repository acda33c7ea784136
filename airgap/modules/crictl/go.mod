module cni-migration/airgap/crictl

go 1.26.6

require sigs.k8s.io/cri-tools v1.34.0
