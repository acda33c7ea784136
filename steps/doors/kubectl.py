"""The door to the cluster's API: kubectl with a private kubeconfig, answers as JSON."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steps.doors import kind
from steps.doors.private import private_kubeconfig
from steps.doors.process import ToolError, run
from steps.running import StepError, say

Object = dict[str, Any]
# Seconds within which the API has to answer a single question.
ANSWER = 15


class Kubectl:
    """Each method raises ToolError where kubectl fails: a question that failed is no answer."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        """stdout of `kubectl ARGS`; `timeout` in seconds is of the whole call."""
        return run(["kubectl", f"--kubeconfig={self.kubeconfig}", *args], stdin=stdin, timeout=timeout)

    def act(self, *args: str, stdin: str = "", timeout: float = 120) -> None:
        """The same for what changes something: what kubectl says of it is shown."""
        told = self.run(*args, stdin=stdin, timeout=timeout).strip()
        if told:
            say(told)

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        """Every object of a kind (or of several: `a,b`), in one namespace or in all."""
        args = ["get", kind, "--output=json", f"--request-timeout={ANSWER}s"]
        args.append(f"--namespace={namespace}" if namespace else "--all-namespaces")
        if selector:
            args.append(f"--selector={selector}")
        if fields:
            args.append(f"--field-selector={fields}")
        answer = self._parse(self.run(*args))
        if not isinstance(answer.get("items"), list):
            raise StepError(f"kubectl's answer to `get {kind}` is no list")
        return list(answer["items"])

    def object(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        """One object, None where the API says that there is none."""
        args = ["get", kind, name, "--ignore-not-found", "--output=json", f"--request-timeout={ANSWER}s"]
        if namespace:
            args.append(f"--namespace={namespace}")
        answer = self.run(*args)
        return self._parse(answer) if answer.strip() else None

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Creates an object; ToolError says AlreadyExists where it is there."""
        self.act("create", "--filename=-", stdin=json.dumps(manifest))

    def replace(self, manifest: Mapping[str, Any]) -> None:
        """Replaces an object; with a resourceVersion in it, ToolError says Conflict where it has changed since."""
        self.act("replace", "--filename=-", stdin=json.dumps(manifest))

    def patch(
        self, kind: str, name: str, patch: object, *, namespace: str | None = None, form: str = "strategic"
    ) -> None:
        """Patches an object; `form` is strategic, merge or json."""
        where = [f"--namespace={namespace}"] if namespace else []
        self.act("patch", kind, name, f"--type={form}", f"--patch={json.dumps(patch)}", *where)

    def delete(self, *what: str, seconds: int = 120) -> None:
        """Deletes by name or selector and waits; what is not there is no failure."""
        self.act("delete", *what, "--ignore-not-found", f"--timeout={seconds}s", timeout=seconds + 30)

    def wait(self, *what: str, until: str, seconds: int) -> None:
        """Waits for `until` (`delete`, `create`, `condition=Ready` …), for up to `seconds`."""
        self.run("wait", *what, f"--for={until}", f"--timeout={seconds}s", timeout=seconds + 30)

    def execute(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        container: str = "",
        stdin: str = "",
        timeout: float = 60,
    ) -> str:
        """stdout of a command in a Pod."""
        args = ["exec", *(["--stdin"] if stdin else []), f"--namespace={namespace}", pod]
        args += [f"--container={container}"] if container else []
        return self.run(*args, "--", *command, stdin=stdin, timeout=timeout)

    @staticmethod
    def _parse(text: str) -> Object:
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise StepError(f"kubectl's answer is no JSON: {text[:200]!r}") from error
        if not isinstance(answer, dict):
            raise StepError(f"kubectl's answer is no object: {text[:200]!r}")
        return answer  # pyright: ignore[reportUnknownVariableType]


@contextmanager
def cluster(name: str) -> Generator[Kubectl]:
    """kubectl for the Kind cluster `name`."""
    with private_kubeconfig() as kubeconfig:
        try:
            kubeconfig.write_text(kind.kubeconfig(name))
        except ToolError as error:
            raise ToolError(
                f"kind has no kubeconfig for cluster {name}. Is a node stopped? Start it (docker start), run the same "
                f"again. {error}",
                error.said,
            ) from error
        yield Kubectl(kubeconfig)
