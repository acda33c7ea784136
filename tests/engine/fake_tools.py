"""Recording stand-ins for kind, docker, kubectl and helm: one program that acts by the name it was called with.

What they keep is in $FAKE: `nodes` (while a cluster exists), `created` (when it was made), `marker.json` (the ConfigMap
with a resourceVersion that a replace must match), `calls` (one line a call). `fail/NAME` makes the next call of that
name fail, once. `hang/NAME` makes every question to that tool's API hang. `lists/KIND.json` are objects of a kind, of
which there are none otherwise.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NODES = ("c-control-plane\tcontrol-plane", "c-worker\tworker", "c-worker2\tworker")
IMAGE = "kindest/node:v1.34.11"
KUBEADM = {
    "kind": "ConfigMap",
    "metadata": {"name": "kubeadm-config"},
    "data": {"ClusterConfiguration": "networking:\n  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/16\n"},
}
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
users: [{name: u, user: {}}]
"""


def install(folder: Path) -> None:
    """Puts the four of them into `folder`, as programs of this interpreter."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("kind", "docker", "kubectl", "helm"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {name} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


class Cluster:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.nodes = home / "nodes"
        self.created = home / "created"
        self.marker = home / "marker.json"
        self.ports = home / "ports.json"

    def publish(self, config: dict[str, Any]) -> None:
        """Keeps the ports of the first node, as docker shows them."""
        mappings = config["nodes"][0].get("extraPortMappings", [])
        ports = {
            f"{it['containerPort']}/tcp": [{"HostIp": it["listenAddress"], "HostPort": str(it["hostPort"])}]
            for it in mappings
        }
        self.ports.write_text(json.dumps(ports))

    def record(self, line: str) -> None:
        with (self.home / "calls").open("a") as calls:
            calls.write(line + "\n")

    def stumble(self, name: str) -> None:
        fault = self.home / "fail" / name
        if fault.exists():
            fault.unlink()
            raise SystemExit(f"fault planted in {name}")

    def hang(self, name: str) -> None:
        if (self.home / "hang" / name).exists():
            time.sleep(600)

    def read(self) -> dict[str, Any] | None:
        return json.loads(self.marker.read_text()) if self.marker.exists() else None

    def write(self, data: dict[str, str], version: int) -> None:
        metadata = {"name": "cni-migration", "resourceVersion": str(version)}
        self.marker.write_text(json.dumps({"kind": "ConfigMap", "metadata": metadata, "data": data}))


def kind(cluster: Cluster, args: list[str]) -> None:
    match args[:2]:
        case ["create", "cluster"]:
            import yaml  # it takes as long as the rest of a call, of which an `up` makes twenty

            cluster.publish(yaml.safe_load(sys.stdin.read()))
            cluster.record("kind create")
            cluster.nodes.write_text("".join(f"{node}\t{IMAGE}\trunning\tt0\n" for node in NODES))
            cluster.created.write_text(datetime.now(UTC).isoformat())
            cluster.stumble("kind-create")
        case ["delete", "cluster"]:
            cluster.record("kind delete")
            cluster.nodes.unlink(missing_ok=True)
            cluster.marker.unlink(missing_ok=True)
        case ["get", "clusters"]:
            print("c" if cluster.nodes.exists() else "")
        case ["get", "kubeconfig"]:
            if not cluster.nodes.exists():
                raise SystemExit("ERROR: could not locate any control plane nodes for cluster named 'c'")
            print(KUBECONFIG)
        case _:
            raise SystemExit(f"kind: not known here: {args}")


def container(
    name: str, role: str, image: str, state: str, started: str, *, created: str, ports: dict[str, Any]
) -> dict[str, Any]:
    return {
        "Name": f"/{name}",
        "Created": created,
        "Config": {"Image": image, "Labels": {"io.x-k8s.kind.role": role}},
        "State": {"Status": state, "StartedAt": started},
        "NetworkSettings": {
            "Networks": {"kind": {"IPAddress": "172.18.0.2", "IPPrefixLen": 16}},
            "Ports": ports if role == "control-plane" else {},
        },
    }


def docker(cluster: Cluster, args: list[str]) -> None:
    match args:
        case ["ps", *_] if any("cni-migration.outside" in arg for arg in args):
            pass  # nobody asks from outside here
        case ["ps", *_]:
            print("id" if cluster.nodes.exists() else "")
        case ["inspect", "--type", "container", *_]:
            rows = [line.split("\t") for line in cluster.nodes.read_text().splitlines()]
            created = cluster.created.read_text()
            # Of a cluster that no `kind create` here has made nothing is published.
            ports: dict[str, Any] = json.loads(cluster.ports.read_text()) if cluster.ports.exists() else {}
            print(json.dumps([container(*row, created=created, ports=ports) for row in rows]))
        case ["exec", *_] if "configmap" in args:
            cluster.hang("docker")
            marker = cluster.read()
            print(json.dumps({"kind": "List", "items": [KUBEADM, *([marker] if marker else [])]}))
        case ["exec", *_] if "recording" in args:
            pass  # nothing is recorded here
        case _:
            raise SystemExit(f"docker: not known here: {args}")


def kubectl(cluster: Cluster, args: list[str]) -> None:
    options = dict(arg.removeprefix("--").split("=", 1) for arg in args if arg.startswith("--") and "=" in arg)
    words = [arg for arg in args if not arg.startswith("--")]
    if not cluster.nodes.exists():
        raise SystemExit("The connection to the server was refused: there is no cluster")
    cluster.hang("kubectl")
    marker = cluster.read()
    match words:
        case ["get", "/readyz"]:
            print("ok")
        case ["get", "configmap", "cni-migration"]:
            print(json.dumps(marker) if marker else "", end="")
        case ["get", "/apis/admissionregistration.k8s.io/v1"]:
            print(json.dumps({"resources": [{"kind": "ValidatingAdmissionPolicy"}]}))
        case ["apply"]:
            (cluster.home / json.loads(sys.stdin.read())["kind"]).touch()
        case ["delete", "validatingadmissionpolicybinding", _]:
            (cluster.home / "ValidatingAdmissionPolicyBinding").unlink(missing_ok=True)
        case ["get", "secrets"]:
            print(json.dumps({"items": []}))  # nothing of a user's was kept
        case ["get", "/version"]:
            print(json.dumps({"gitVersion": "v1.34.11"}))
        case ["get", kind] if "--all-namespaces" in args:
            listed = cluster.home / "lists" / f"{kind}.json"
            print(json.dumps({"items": json.loads(listed.read_text()) if listed.exists() else []}))
        case ["create"] if options.get("dry-run") == "server":
            sys.stdin.read()
        case ["create" | "replace" as verb]:
            wanted = json.loads(sys.stdin.read())
            if verb == "create" and marker:
                raise SystemExit("Error from server (AlreadyExists): it exists")
            if verb == "replace" and not marker:
                raise SystemExit("Error from server (NotFound): there is none")
            version = marker["metadata"]["resourceVersion"] if marker else "0"
            if verb == "replace" and wanted["metadata"]["resourceVersion"] != version:
                raise SystemExit(f"Error from server (Conflict): it is {version} by now")
            cluster.write(wanted["data"], int(version) + 1)
        case ["patch", "configmap", "cni-migration"] if marker and options["type"] == "json":
            for operation in json.loads(options["patch"]):
                field = operation["path"].removeprefix("/data/")
                if operation["op"] != "add" and field not in marker["data"]:
                    raise SystemExit(f"the server rejected our request: there is no {field}")
                if operation["op"] == "test" and marker["data"][field] != operation["value"]:
                    raise SystemExit("the server rejected our request due to an error in our request: the test failed")
                if operation["op"] in ("add", "replace"):
                    marker["data"][field] = operation["value"]
            cluster.write(marker["data"], int(marker["metadata"]["resourceVersion"]) + 1)
        case _:
            raise SystemExit(f"kubectl: not known here: {args}")


def main() -> None:
    name, *args = sys.argv[1:]
    cluster = Cluster(Path(os.environ["FAKE"]))
    tools = {"kind": kind, "docker": docker, "kubectl": kubectl}
    if name not in tools:
        raise SystemExit(f"{name}: no step may call it here: {args}")
    tools[name](cluster, args)


if __name__ == "__main__":
    main()
