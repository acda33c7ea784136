"""kubectl that asks for each list once: what many look at is one question, however many nodes there are."""

from __future__ import annotations

from steps.doors.kubectl import Kubectl, Object


class Once(Kubectl):
    """Lists are remembered, everything else is asked as ever. For a look at one moment only: nothing that waits for a
    change may use it. A question that failed is not remembered, so the next who asks fails by itself."""

    def __init__(self, inner: Kubectl) -> None:
        super().__init__(inner.kubeconfig)
        self._inner = inner
        self._lists: dict[tuple[str, str | None, str, str], list[Object]] = {}

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        """As ever."""
        return self._inner.run(*args, stdin=stdin, timeout=timeout)

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        """The list as it was when it was asked for first."""
        key = (kind, namespace, selector, fields)
        if key not in self._lists:
            self._lists[key] = self._inner.objects(kind, namespace=namespace, selector=selector, fields=fields)
        return self._lists[key]

    def object(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        """As ever."""
        return self._inner.object(kind, name, namespace=namespace)
