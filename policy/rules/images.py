"""Images: which one it is must not change by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pulumi_policy import EnforcementLevel

from reading import containers, items, kind_config, mappings, pod_spec
from rule import RELEASE, Resource, Settings, resource_rule, stack_rule, texts

# A registry that only this network has: loopback, a private range, or a name that public DNS does not give out.
_LOCAL_REGISTRY = re.compile(
    r"^(localhost|127\.[0-9.]+|10\.[0-9.]+|192\.168\.[0-9.]+|172\.(1[6-9]|2[0-9]|3[01])\.[0-9.]+"
    r"|[\w.-]+\.(local|internal|lan|svc|test))(:[0-9]+)?$"
)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A reference in its parts; empty where a part is missing."""

    whole: str
    registry: str
    tag: str
    digest: str

    def local(self, also: Sequence[str]) -> bool:
        """Whether no public registry serves it: the kit's own by their tag (`kit`, or one that ends in `-kit`), a
        registry of this network, or what the patterns `also` say."""
        return (
            self.tag == "kit"
            or self.tag.endswith("-kit")
            or bool(_LOCAL_REGISTRY.match(self.registry))
            or any(fnmatchcase(self.whole, pattern) for pattern in also)
        )


def image_from(text: str) -> Image:
    """The parts of a reference."""
    name, _, digest = text.partition("@")
    first, slash, _ = name.partition("/")
    registry = first if slash and (first == "localhost" or re.search(r"[.:]", first)) else ""
    tag = name.rsplit("/", 1)[-1].partition(":")[2]
    return Image(whole=text, registry=registry, tag=tag, digest=digest)


def _images(resource: Resource) -> Iterator[tuple[str, str]]:
    """(where, reference) of every image that is named."""
    for each in containers(pod_spec(resource) or {}):
        if isinstance(each.get("image"), str):
            yield f"container {each.get('name')}", each["image"]
    for node in items(kind_config(resource), "nodes"):
        if isinstance(node.get("image"), str):
            yield f"kind node ({node.get('role')}, cluster.nodeImage)", node["image"]


def _tags(resource: Resource, settings: Settings) -> Iterator[str]:
    for where, text in sorted(set(_images(resource))):
        image = image_from(text)
        if image.tag == "latest" or not (image.tag or image.digest):
            yield f"{where}: {text} names no version; write the tag of a release, such as :v1.2.3"
    if resource.type == RELEASE:
        for path, values in mappings(resource.props.get("values")):
            if values.get("tag") in ("latest", ""):
                yield f"values.{path}.tag names no version; leave it out (the chart has its own) or write a release's"


def _digests(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    local = settings["localImages"]
    # One image is one finding, whoever runs it.
    found = {text: each for each in resources for _, text in _images(each)}
    for text, resource in sorted(found.items()):
        image = image_from(text)
        if not image.digest and not image.local(local):
            yield (
                resource,
                f"{text} has no digest; write {text}@sha256:… (docker buildx imagetools inspect shows it), or, if a "
                f"registry of your own serves it, add a pattern for it to localImages",
            )
    for release in resources:
        chart = release.props.get("values") if release.type == RELEASE else None
        for path, values in mappings(chart):
            name = f"values.{path}"
            if values.get("useDigest") is False and not any(fnmatchcase(name, pattern) for pattern in local):
                yield (
                    release,
                    f"{name}.useDigest is false: the chart's digest is not asked for; leave it out, or, if a registry "
                    f"of your own serves it, add {name} to localImages",
                )


RULES = [
    resource_rule("image-tag-pinned", "Every image names the version that it is.", _tags),
    stack_rule(
        "public-image-by-digest",
        "An image of a public registry is named by its digest.",
        _digests,
        # The project's own defaults for Flannel and the probes have none yet: mandatory, it would stop every stack.
        level=EnforcementLevel.ADVISORY,
        settings={
            "localImages": texts("patterns of images, or of paths in the Helm values, that need no digest", []),
        },
    ),
]
