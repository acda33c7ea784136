module cni-migration/airgap/hubble-page

go 1.22
