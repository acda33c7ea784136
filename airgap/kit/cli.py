"""The verbs of `python3 airgap/kit`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kit import builders, gomodules, pins, plan, status
from kit.environment import exports
from kit.errors import KitError
from kit.golang import require_go
from kit.graph import ENGINE
from kit.paths import Cache
from kit.plan import Plan
from kit.scheduler import Scheduler
from kit.signals import Interrupted
from kit.target import closure

VERBS = {
    "toolchain": "build the tools that this machine lacks",
    "images": "start the container engine and build the images, where no image registry is in reach",
    "setup": "toolchain and images, side by side",
    "env": "print the environment that uses them, for `eval`",
    "path": "build one target and print its folder",
    "engine": "start or stop the kit's container engine",
    "clean": "end what the kit has started; what it has built stays",
    "distclean": "clean, and remove the kit's part of the user's cache folder",
    "status": "say what is built and how big it is",
    "lock": "write modules/*/go.mod and go.sum anew from pins.toml",
}


def main(arguments: list[str]) -> int:
    """Run one verb; the result is the process's exit code."""
    if arguments[:1] == ["builder"]:
        builders.run(*arguments[1:])
        return 0
    parser = argparse.ArgumentParser(
        prog="python3 airgap/kit",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {verb:10} {text}" for verb, text in VERBS.items()),
    )
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help="one of those below")
    parser.add_argument("name", nargs="?", help="engine: start or stop; path: the target; lock: one tool")
    chosen = parser.parse_args(arguments)
    try:
        _run(chosen.verb, chosen.name)
    except KitError as error:
        print(f"kit: {error}", file=sys.stderr)
        return 1
    except Interrupted as signal:
        print(f"kit: ended by {signal}; run it again and it goes on", file=sys.stderr)
        return 128 + signal.number
    return 0


def _run(verb: str, name: str | None) -> None:
    match verb:
        case "lock":
            _lock(name)
        case "engine" if name == "stop":
            _script("stop.sh")
        case "engine" if name == "start":
            _build(plan.make(), "engine")
        case "engine":
            raise KitError("engine: start or stop?")
        case "clean":
            _script("stop.sh")
        case "distclean":
            _script("stop.sh")
            root = Cache.of_user().root
            if root.exists():
                shutil.rmtree(root)
        case "env":
            print("\n".join(exports(plan.make())))
        case "status":
            print("\n".join(status.report(plan.make())))
        case "path":
            here = plan.make()
            _build(here, name or "")
            print(here.folders(name or "")[name or ""])
        case _:
            here = plan.make()
            tools = here.toolchain if verb != "images" else ()
            _build(here, *tools, *(here.images if verb != "toolchain" else ()))
            if tools:
                here.pulumi_home()


def _build(here: Plan, *names: str) -> None:
    targets = closure(here.graph, names)
    require_go(here.pins["GO_MINIMUM"], targets, here.cache)
    Scheduler(targets, here.cache).run()


def _script(name: str) -> None:
    code = subprocess.run(["bash", ENGINE / name], check=False).returncode
    if code:
        raise KitError(f"{name} failed with exit code {code}")


def _lock(only: str | None) -> None:
    known = pins.load()
    for tool in [known.tools[only]] if only else known.tools.values():
        print(f"kit: locking {tool.name}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as work:
            gomodules.lock(tool, known["GO_MINIMUM"], Path(work))
