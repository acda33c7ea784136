module cni-migration/airgap/cilium

go 1.26.6

require github.com/cilium/cilium v1.19.4
