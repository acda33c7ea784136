module cni-migration/airgap/coredns

go 1.26.6

require github.com/coredns/coredns v1.14.3
