#!/bin/bash
# Without CAP_SYS_RESOURCE no process may lower its oom_score_adj, and runc, told to, starts no Pod sandbox at all
# («can't get final child's PID from pipe: EOF»). containerd has a setting for such nodes; kind makes it for user
# namespaces only. Tried, not guessed from the capability: this is the write that would fail.
set -o errexit -o nounset -o pipefail

read -r now </proc/self/oom_score_adj
if ((now == -1000)) || (echo "$((now - 1))" >/proc/self/oom_score_adj) 2>/dev/null; then
  exit 0
fi
echo "oom_score_adj cannot be lowered here: restrict_oom_score_adj = true"
sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml
grep -q 'restrict_oom_score_adj = true' /etc/containerd/config.toml
