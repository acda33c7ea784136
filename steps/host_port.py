"""Whether a port of this machine is free for a cluster that is to be made. Takes nothing: kind does, a moment later."""

from __future__ import annotations

import errno
import socket
from contextlib import closing

from settings.hubble import HostPort
from steps.doors import docker

# How many ports after the one that is taken are tried for the remedy.
_TRIED = 20


def in_the_way(wanted: HostPort, cluster: str) -> str:
    """Why `cluster` cannot be made with this port, as a sentence with key, value and remedy; empty where it can.

    Raises ToolError where the container engine does not answer."""
    held = [one for one in docker.published() if one.host.overlaps(wanted)]
    if others := [one.cluster for one in held if one.cluster != cluster]:
        # A stopped one too: of two clusters with one port the second could not be started.
        remedy = f"set it to another{_free(wanted)}, or to 0 for none, or delete that cluster"
        return f"hubble.port: {wanted.port} is the Kind cluster {others[0]}'s; {remedy}"
    if held:
        return ""  # what is left of a creation that was cut off, and goes before the next one
    match _refusal(wanted):
        case errno.EADDRINUSE:
            remedy = f"set it to another{_free(wanted)}, or to 0 for none, or end that process"
            return f"hubble.port: another process listens on {wanted.address}:{wanted.port}; {remedy}"
        case errno.EADDRNOTAVAIL:
            return (
                f"hubble.address: {wanted.address} is no address of this machine; write one that is, such as 127.0.0.1"
            )
        case _:
            return ""  # free, or a port below 1024, which the engine may have and this user may not


def _refusal(wanted: HostPort) -> int:
    """The kernel's errno for listening there, 0 where it permits it."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as asked:
        # Without it the connections of a page that is gone would hold the port for a minute.
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((wanted.address, wanted.port))
            asked.listen()
        except OSError as error:
            return error.errno or errno.EINVAL
    return 0


def _free(wanted: HostPort) -> str:
    for port in range(wanted.port + 1, min(wanted.port + _TRIED, 65536)):
        other = HostPort(address=wanted.address, port=port)
        if not _refusal(other) and not any(one.host.overlaps(other) for one in docker.published()):
            return f", such as {port}"
    return ""
