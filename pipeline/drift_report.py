"""What a look for drift comes to: findings, questions without an answer, the text, the JSON and the exit code. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal[
    "agent",
    "agent-config",
    "bolt",
    "chains",
    "cluster",
    "config",
    "conflist",
    "cordon",
    "crd",
    "file",
    "helm-value",
    "hubble",
    "image",
    "keeper",
    "kube-proxy",
    "label",
    "link",
    "marker",
    "missing",
    "node",
    "other-cni",
    "pod",
    "program",
    "release",
    "resource",
    "restarted",
    "route",
    "rule",
    "sysctl",
    "workload",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
CLEAN, NOT_ASKED, DRIFT = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as promised: `where` is a node or an object, `says` what is there and what should be,
    `remedy` what to type or to do."""

    kind: Kind
    where: str
    says: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Unasked:
    """A question without an answer: nothing is known of `what`, which is neither clean nor drift."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """All of one look. Equal findings count once."""

    stack: str
    cluster: str
    findings: tuple[Finding, ...]
    unasked: tuple[Unasked, ...]

    @property
    def exit_code(self) -> int:
        """2 for drift, which is certain whatever else was not asked; 1 where something was not asked; else 0."""
        if self.findings:
            return DRIFT
        return NOT_ASKED if self.unasked else CLEAN

    def as_json(self) -> dict[str, Any]:
        """The report as a pipeline reads it."""
        return {
            "stack": self.stack,
            "cluster": self.cluster,
            "verdict": {CLEAN: "clean", NOT_ASKED: "not asked", DRIFT: "drift"}[self.exit_code],
            "findings": [asdict(finding) for finding in self.findings],
            "unasked": [asdict(question) for question in self.unasked],
        }

    def text(self) -> str:
        """The report as a person reads it."""
        head = f"stack {self.stack}, cluster {self.cluster or 'not known'}: "
        if self.exit_code == CLEAN:
            return f"{head}as promised\n"
        told = [f"{_count(len(self.findings), 'finding')}, {len(self.unasked)} not asked"]
        told += [f"  {it.where}: {it.says} [{it.kind}]\n    remedy: {it.remedy}" for it in self.findings]
        told += [f"  not asked: {it.what}: {it.why}" for it in self.unasked]
        return head + "\n".join(told) + "\n"


def report_of(stack: str, cluster: str, findings: Sequence[Finding], unasked: Sequence[Unasked]) -> Report:
    """The report, each finding and each question once, in the order in which they came."""
    return Report(
        stack=stack,
        cluster=cluster,
        findings=tuple(dict.fromkeys(findings)),
        unasked=tuple(dict.fromkeys(unasked)),
    )


def findings_from(said: Mapping[str, Any]) -> tuple[list[Finding], list[Unasked]]:
    """Reads what `as_json` made. Raises KeyError or TypeError for what is no report."""
    return [Finding(**it) for it in said["findings"]], [Unasked(**it) for it in said["unasked"]]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
