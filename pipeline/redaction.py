"""Takes out of a text what looks like a secret, or is one that is known. Pure.

The engine masks the configuration's own secrets. What is left are those that nobody marked: in a chart's values, in the
site file, in what a tool says of an address."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable

from pipeline.values import SECRET

# Shorter ones would take words of the text away and hide nothing.
_LEAST = 4
_LOOKS = (
    (re.compile(r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|\Z)", re.DOTALL), SECRET),
    # A step's own goes when the step does: in a comment it would be another one each time.
    (re.compile(r"--kubeconfig=[^\s'`,]+"), "--kubeconfig=…"),
    (re.compile(r"(://)[^/\s@]+@"), rf"\1{SECRET}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {SECRET}"),
    (
        re.compile(
            r"(?i)((?:password|passwd|passphrase|token|secret|api[_-]?key|credentials?|authorization|-key-data|"
            r"-certificate-data)[\"']?\s*[=:]\s*)(?!\[secret\])(\"[^\"]*\"|'[^']*'|[^\s,;&]+)"
        ),
        rf"\1{SECRET}",
    ),
)
# A run of base64 or hex; digests of images are no secret.
_RUN = re.compile(r"(?<![\w+/=-])(?<!sha256:)[\w+/-]{32,}={0,2}")


class Redactor:
    """`secrets` are texts that must not be seen, wherever they turn up."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            for piece in (secret, *(line.strip() for line in secret.splitlines())):
                if len(piece.strip()) >= _LEAST:
                    encoded = base64.b64encode(piece.encode()).decode()
                    forms |= {piece, json.dumps(piece)[1:-1], encoded, encoded.rstrip("=")}
        # The longest first: a part of one that is masked would leave the rest of it.
        self._forms = sorted(forms, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without them, and without colours."""
        text = re.sub(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m", "", text)
        for form in self._forms:
            text = text.replace(form, SECRET)
        for pattern, instead in _LOOKS:
            text = pattern.sub(instead, text)
        return _RUN.sub(lambda found: SECRET if _random(found.group()) else found.group(), text)


def _random(run: str) -> bool:
    """Whether it is a key and no name: hex, or capitals, small letters and digits mixed."""
    if re.fullmatch(r"[0-9a-fA-F]{32,}", run):
        return True
    return all(re.search(kind, run) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]")) and run.count("-") < 3
