module cni-migration/airgap/flanneld

go 1.26.6

require (
	github.com/flannel-io/flannel v0.28.4
	github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common v1.3.103
	github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/vpc v1.3.75
)
