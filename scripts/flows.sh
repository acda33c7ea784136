#!/usr/bin/env bash
# Live flows of the stack's cluster through Hubble Relay, until it is ended; the arguments are those of `hubble observe`
# (`--follow=false --last 20` looks once).
set -euo pipefail

cluster=$(pulumi stack output --stack "${STACK:?}" cluster)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
kind get kubeconfig --name "$cluster" >"$folder/kubeconfig"
# A port of hubble's own choice: two of these side by side must not collide.
hubble observe --port-forward --port-forward-port 0 --kubeconfig "$folder/kubeconfig" --follow "$@"
