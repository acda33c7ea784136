"""Who is running: the `up` behind a step, told apart from one that has ended."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from pathlib import Path

from steps.doors.process import ToolError, run


def holder(pid: int | None = None) -> str:
    """HOST PID START SCOPE: this host, the process that started the step (the command plugin, which lives exactly as
    long as its `pulumi up`), when that process started, since process numbers are used again, and where numbers mean
    the same, since two containers or machines may have one name. Earlier versions wrote no SCOPE."""
    number = os.getppid() if pid is None else pid
    return f"{host()} {number} {started(number)} {scope()}"


def host() -> str:
    """This host's name, as `uname -n` has it."""
    return platform.node()


def scope() -> str:
    """Where a process number means the same process: this machine, and its pid namespace."""
    machine = Path("/etc/machine-id")
    try:
        namespace = str(Path("/proc/self/ns/pid").stat().st_ino)
    except (FileNotFoundError, PermissionError):
        namespace = "-"  # a system that has none
    known = machine.read_text().strip() if machine.is_file() else ""
    return hashlib.sha256(f"{known} {namespace}".encode()).hexdigest()[:12]


def seen_from_here(named: str) -> bool:
    """Whether it can be told from here if the holder still runs: its process numbers are those of here."""
    words = named.split()
    return len(words) in (3, 4) and words[0] == host() and words[3:] in ([], [scope()])


def alive(named: str) -> bool:
    """Whether the holder is known to run; not where it has ended, nobody is named, or it cannot be seen from here."""
    words = named.split()
    return seen_from_here(named) and words[1].isdecimal() and started(int(words[1])) == words[2]


def started(pid: int) -> str:
    """When a process started, in a form that no clock or locale changes; empty where it is gone."""
    if Path("/proc/self").is_dir():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        # Ticks since boot, the 20th field behind the name (which may hold spaces), and the boot they count from.
        ticks = stat.rpartition(") ")[2].split()[19]
        return f"{ticks}@{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    try:
        return re.sub(
            r" +", "_", run(["ps", "-o", "lstart=", "-p", str(pid)], env={"LC_ALL": "C", "TZ": "UTC"}).strip()
        )
    except ToolError as error:
        if error.said:
            raise
        return ""  # ps says nothing and fails where there is no such process
