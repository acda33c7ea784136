#!/usr/bin/env bash
# Stage «policy»: what the stack's next `up` would do, held against the policy pack. A mandatory violation fails it.
set -euo pipefail
cd "$(dirname "$0")/.."
stack=${1:?which stack? pipeline/policy.sh STACK}
exec pulumi preview --stack "$stack" --non-interactive \
  --policy-pack policy/run --policy-pack-config "${POLICY_CONFIG:-policy/config.json}"
