module cni-migration/airgap/cni-plugins

go 1.26.6

require github.com/containernetworking/plugins v1.9.1
