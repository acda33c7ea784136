"""Stand-ins for pulumi, docker, kind, kubectl and helm, one program that acts by the name it was called with: they
answer from $DESK/answers, note each call in $DESK/calls, and fail on whatever could write."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

DESK = Path(os.environ["DESK"])
IMAGE = "kindest/node:v1.34.11"
KUBEADM = "networking:\n  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/16\n"


def answer(name: str) -> str:
    path = DESK / "answers" / name
    if not path.exists():
        raise SystemExit(f"{sys.argv[1]}: no answer for {name}")
    return path.read_text()


def pulumi(args: list[str]) -> str:
    match args[:2]:
        case ["stack", "export"]:
            if (DESK / "answers" / "touch").exists():
                (DESK / "answers" / "state").write_text(answer("state") + "\n")
            return answer("state")
        case ["config", "--json"]:
            return answer("config")
        case ["refresh", "--preview-only"]:
            return answer("refresh")
        case _:
            raise SystemExit(f"pulumi: this could write: {args}")


def container(name: str) -> dict[str, object]:
    role = "worker" if "worker" in name else "control-plane"
    return {
        "Name": f"/{name}",
        "Config": {"Image": IMAGE, "Labels": {"io.x-k8s.kind.role": role}},
        "State": {"Status": "running", "StartedAt": "2026-11-26T04:00:01.5Z"},
        "NetworkSettings": {"Ports": {}},
    }


def docker(args: list[str]) -> str:
    nodes = ("c-control-plane", "c-worker", "c-worker2")
    if args[0] == "ps":
        return " ".join(nodes)
    if args[0] == "inspect":
        return json.dumps([container(name) for name in nodes])
    if "configmap" in args:
        maps = [{"metadata": {"name": "kubeadm-config"}, "data": {"ClusterConfiguration": KUBEADM}}]
        maps.append({"metadata": {"name": "cni-migration"}, "data": json.loads(answer("marker"))})
        return json.dumps({"kind": "List", "items": maps})
    node = args[2]
    if "MODE=rows" in args:
        return answer(f"clean-{node}")
    if "facts" in args:
        pods = args[args.index("facts") + 1 :]
        return answer(f"facts-{node}") + "".join(f"\nreach {pod} true" for pod in pods)
    raise SystemExit(f"docker: this could write: {args}")


def kubectl(args: list[str]) -> str:
    words = [arg for arg in args if not arg.startswith("-")]
    lists = {
        "nodes,pods,services,daemonsets.apps,deployments.apps": "objects",
        "customresourcedefinitions": "kinds",
        "validatingadmissionpolicies,validatingadmissionpolicybindings": "admission",
    }
    if words[0] != "get":
        raise SystemExit(f"kubectl: this could write: {args}")
    if words[1] == "configmaps" and "--namespace=kube-system" in args:
        return json.dumps({"items": json.loads(answer("configmaps"))})
    return json.dumps({"items": json.loads(answer(lists[words[1]])) if words[1] in lists else []})


def helm(args: list[str]) -> str:
    words = [arg for arg in args if not arg.startswith("-")]
    match words[0]:
        case "list":
            return json.dumps([{"name": "cilium", "chart": "cilium-1.19.4"}])
        case "status":
            return answer("status")
        case _:
            raise SystemExit(f"helm: this could write: {args}")


def kind(args: list[str]) -> str:
    if args[:2] != ["get", "kubeconfig"]:
        raise SystemExit(f"kind: this could write: {args}")
    return "kubeconfig"


if __name__ == "__main__":
    tool, *rest = sys.argv[1:]
    with (DESK / "calls").open("a") as calls:
        calls.write(json.dumps([tool, *rest]) + "\n")
    print({"pulumi": pulumi, "docker": docker, "kubectl": kubectl, "helm": helm, "kind": kind}[tool](rest))
