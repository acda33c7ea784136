module cni-migration/airgap/flannel-cni-plugin

go 1.26.6

require github.com/containernetworking/plugins v0.9.1
