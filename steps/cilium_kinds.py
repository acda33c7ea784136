"""The kinds that Cilium brings. Pure."""

from __future__ import annotations

# The kinds of Cilium 1.19 and of the versions before it (pkg/k8s/apis/cilium.io/*/register.go), by their plural names.
# Not all of the group cilium.io: Tetragon's are in it too, and every TracingPolicy would go with them.
_KINDS = (
    "ciliumbgpadvertisements",
    "ciliumbgpclusterconfigs",
    "ciliumbgploadbalancerippools",
    "ciliumbgpnodeconfigoverrides",
    "ciliumbgpnodeconfigs",
    "ciliumbgppeerconfigs",
    "ciliumbgppeeringpolicies",
    "ciliumcidrgroups",
    "ciliumclusterwideenvoyconfigs",
    "ciliumclusterwidenetworkpolicies",
    "ciliumegressgatewaypolicies",
    "ciliumegressnatpolicies",
    "ciliumendpoints",
    "ciliumendpointslices",
    "ciliumenvoyconfigs",
    "ciliumexternalworkloads",
    "ciliumgatewayclassconfigs",
    "ciliumidentities",
    "ciliuml2announcementpolicies",
    "ciliumloadbalancerippools",
    "ciliumlocalredirectpolicies",
    "ciliumnetworkpolicies",
    "ciliumnodeconfigs",
    "ciliumnodes",
    "ciliumpodippools",
    "ciliumvteppolicies",
)
CRDS = frozenset(f"{kind}.cilium.io" for kind in _KINDS)
# What Cilium makes itself of Pods, nodes and of users' objects, and makes again when it comes back.
MADE_BY_CILIUM = frozenset(
    f"{kind}.cilium.io"
    for kind in ("ciliumbgpnodeconfigs", "ciliumendpoints", "ciliumendpointslices", "ciliumidentities", "ciliumnodes")
)
# What the agents of 1.19 wait for before they do anything (pkg/k8s/synced/crd.go), whatever their settings, and the
# kind with which a node gets settings of its own. The operator makes them when it starts.
AWAITED = frozenset(
    f"{kind}.cilium.io"
    for kind in (
        "ciliumcidrgroups",
        "ciliumclusterwidenetworkpolicies",
        "ciliumendpoints",
        "ciliumidentities",
        "ciliuml2announcementpolicies",
        "ciliumloadbalancerippools",
        "ciliumnetworkpolicies",
        "ciliumnodeconfigs",
        "ciliumnodes",
    )
)
