#!/usr/bin/env bash
# Writes FOLDER/index.html from what is there: the outputs of the stacks flannel and cilium, the benchmark's results, and in
# FOLDER flannel.pcap, cilium.pcap and flows.jsonl. What is not there is said on the page.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?a folder}
mkdir -p "$folder"
options=()
# A question that fails ends the report: no answer does not mean that there are no stacks.
stacks=$(pulumi stack ls --json)
for cni in flannel cilium; do
  known=$(python3 -c 'import json, sys; print(sys.argv[1] in [s["name"] for s in json.load(sys.stdin)])' "$cni" <<<"$stacks")
  if [[ $known == True ]]; then
    pulumi stack output --stack "$cni" --json >"$folder/$cni.json"
    options+=("--$cni=$folder/$cni.json")
  fi
  if [[ -e $folder/$cni.pcap ]]; then options+=("--$cni-pcap=$folder/$cni.pcap"); fi
done
if [[ -e $folder/cilium.json ]]; then
  # Where the cluster is gone, or another stack's, the flows that were taken last stay.
  if STACK=cilium bash scripts/flows.sh --follow=false --last 2000 --output jsonpb >"$folder/flows.part"; then
    mv -- "$folder/flows.part" "$folder/flows.jsonl"
  else
    rm -- "$folder/flows.part"
    printf 'report: no flows of now; Hubble answers while stack cilium has the cluster\n' >&2
  fi
fi
if [[ -e $folder/flows.jsonl ]]; then options+=("--flows=$folder/flows.jsonl"); fi
shopt -s nullglob
python -m report "$folder" "${options[@]}" --bench .state/bench/*.jsonl
