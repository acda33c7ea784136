"""Who is running: the `up` behind a step, told apart from one that has ended."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from steps.doors.process import ToolError, run


def holder(pid: int | None = None) -> str:
    """HOST PID START: this host, the process that started the step (the command plugin, which lives exactly as long as
    its `pulumi up`) and when that process started, since process numbers are used again."""
    number = os.getppid() if pid is None else pid
    return f"{host()} {number} {_started(number)}"


def host() -> str:
    """This host's name, as `uname -n` has it."""
    return platform.node()


def alive(named: str) -> bool:
    """Whether the holder still runs on this host; not where it has ended, or nobody is named."""
    words = named.split()
    if len(words) != 3 or words[0] != host() or not words[1].isdecimal():
        return False
    return _started(int(words[1])) == words[2]


def _started(pid: int) -> str:
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
