"""What a rule is here: a function from resources to sentences, each of which says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from wire import opened

Settings = Mapping[str, Any]
# The properties of a rule's settings, as JSON Schema; each has a default, which the engine fills in.
Schema = dict[str, dict[str, Any]]

STACK = "pulumi:pulumi:Stack"
COMMAND = "command:local:Command"
RELEASE = "kubernetes:helm.sh/v3:Release"
KUBERNETES_PROVIDER = "pulumi:providers:kubernetes"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as a rule sees it. `sent` are its properties with the marks of secrets (inputs in a rule of resources,
    outputs in a rule of stacks); `props` the same without, and None for what is not known yet."""

    type: str
    name: str
    urn: str
    sent: Mapping[str, Any]
    props: Mapping[str, Any]
    ignored: Sequence[str]
    secret_outputs: Sequence[str]
    # None: not set, or not told (`pulumi policy analyze` never is).
    delete_before_replace: bool | None
    # The provider's name; None where the resource has none.
    provider: str | None
    # The names of the resources that it waits for, itself; empty in a rule of resources.
    after: Sequence[str] = ()

    @property
    def components(self) -> Sequence[str]:
        """The components that it is in, the outermost first: what their type tokens end in."""
        return [token.rsplit(":", 1)[-1] for token in self.urn.split("::")[2].split("$")[:-1]]

    def within(self, components: Sequence[str]) -> bool:
        """Whether it is in one of them."""
        return not set(components).isdisjoint(self.components)


def resource_rule(
    name: str,
    description: str,
    check: Callable[[Resource, Settings], Iterable[str]],
    *,
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
    settings: Schema | None = None,
) -> ResourceValidationPolicy:
    """A rule about each resource on its own, by its inputs. `check` yields what is wrong with it."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in check(_resource(args), args.get_config()):
            report(message, None)

    return ResourceValidationPolicy(name, description, validate, level, _schema(settings))


def stack_rule(
    name: str,
    description: str,
    check: Callable[[Sequence[Resource], Settings], Iterable[tuple[Resource | None, str]]],
    *,
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
    settings: Schema | None = None,
) -> StackValidationPolicy:
    """A rule about the stack as a whole, by its resources' outputs. `check` yields (where, what is wrong)."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [_resource(each, [other.name for other in each.dependencies]) for each in args.resources]
        for where, message in check(resources, args.get_config()):
            report(message, where.urn if where else None)

    return StackValidationPolicy(name, description, validate, level, _schema(settings))


def texts(description: str, default: Sequence[str]) -> dict[str, Any]:
    """A setting that is a list of texts."""
    return {"type": "array", "items": {"type": "string"}, "description": description, "default": list(default)}


def number(description: str, default: int, least: int, most: int) -> dict[str, Any]:
    """A setting that is a whole number."""
    bounds = {"minimum": least, "maximum": most}
    return {"type": "integer", "description": description, "default": default, **bounds}


def _schema(settings: Schema | None) -> PolicyConfigSchema | None:
    return PolicyConfigSchema(settings) if settings else None


def _resource(args: ResourceValidationArgs | PolicyResource, after: Sequence[str] = ()) -> Resource:
    return Resource(
        type=args.resource_type,
        name=args.name,
        urn=args.urn,
        sent=args.props,
        props=opened(args.props),
        ignored=list(args.opts.ignore_changes),
        secret_outputs=list(args.opts.additional_secret_outputs),
        delete_before_replace=args.opts.delete_before_replace,
        provider=args.provider.name if args.provider else None,
        after=after,
    )
