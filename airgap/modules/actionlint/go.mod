module cni-migration/airgap/actionlint

go 1.26.6

require github.com/rhysd/actionlint v1.7.12
