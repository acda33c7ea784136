"""The door to what is beside a cluster, on its nodes' network, and no node of it: one container, which asks the node
ports as a user does. Under Cilium a node is no such place: its own connections are translated at the socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from steps.doors import docker
from steps.doors.process import ToolError, run

# Of the container: its cluster, and the recording that it is for.
_CLUSTER, _RECORDING = "cni-migration.outside", "cni-migration.recording"
_PROGRAM = Path(__file__).parents[1] / "on_probe"
_INSIDE, _FOLDER = "/cni-migration", "/tmp/traffic"  # the second one is the prober's own
# Seconds: an image may have to be pulled, and a held connection is given up after 10 s.
_PULL, _END = 600, 30


def start(
    cluster: str, recording: str, *, prober: str, image: str, network: str, environment: Mapping[str, str]
) -> None:
    """Makes the container of a cluster, of an image with python3. Raises ToolError where that does not go."""
    name = f"{cluster}-traffic-outside"
    own = {"FOLDER": _FOLDER, "RECORDING": recording, "PROBER": prober}
    told = [f"--env={key}={value}" for key, value in {**environment, **own}.items()]
    labels = [f"--label={_CLUSTER}={cluster}", f"--label={_RECORDING}={recording}"]
    placed = [f"--name={name}", *labels, f"--network={network}", "--entrypoint=python3"]
    run(["docker", "create", *placed, *told, image, f"{_INSIDE}/outside.py"], timeout=_PULL, show=True)
    run(["docker", "cp", f"{_PROGRAM}/.", f"{name}:{_INSIDE}"])
    run(["docker", "start", name])


def runs(cluster: str, recording: str) -> bool:
    """Whether the one of this recording is there and has not ended."""
    return bool(docker.labelled(*_labels(cluster, recording), running=True))


def end(cluster: str, recording: str) -> None:
    """Lets it write its last lines. It stays, for `lines`."""
    for found in docker.labelled(*_labels(cluster, recording)):
        # `--time` has another name from docker 28 on.
        run(["docker", "stop", "-t", str(_END), found], timeout=_END + 30)


def lines(cluster: str, recording: str, prober: str) -> list[str] | None:
    """What it has recorded; None where there is no container, or it has written nothing."""
    found = docker.labelled(*_labels(cluster, recording))
    if not found:
        return None
    with TemporaryDirectory() as folder:
        to = Path(folder) / "log"
        try:
            run(["docker", "cp", f"{found[0]}:{_FOLDER}/{recording}/{prober}.log", str(to)])
        except ToolError as error:
            # docker's words for a path that is not there, before version 23 and from it on.
            if error.says("No such container:path", "Could not find the file"):
                return None
            raise
        return to.read_text().splitlines()


def remove(cluster: str) -> None:
    """There is none any more, of whichever recording."""
    for found in docker.labelled(f"{_CLUSTER}={cluster}"):
        run(["docker", "rm", "--force", "--volumes", found])


def _labels(cluster: str, recording: str) -> tuple[str, str]:
    return f"{_CLUSTER}={cluster}", f"{_RECORDING}={recording}"
