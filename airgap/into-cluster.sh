#!/usr/bin/env bash
# into-cluster.sh CLUSTER IMAGE: hands an image of the kit to the nodes of a Kind cluster that was made before the kit had
# it. New clusters have every image.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$1 image=$2
OUT=$(mktemp -d)
export OUT
trap 'rm -rf "$OUT"' EXIT
layout=$(python3 "$here/kit" path cluster-images)
python3 "$here/images" only "$layout" "$image"
for node in $(kind get nodes --name "$cluster"); do
  tar -c -C "$OUT" oci-layout index.json blobs |
    docker exec --interactive "$node" ctr --namespace k8s.io images import --local --snapshotter overlayfs -
done
