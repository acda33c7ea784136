"""What the API server of a prober's own node answers over loopback: what it is too slow for there, no network made."""

from __future__ import annotations

import time

from traffic_api import Api
from traffic_loop import Work
from traffic_record import Log, Record, named

PATIENCE = 10.0  # seconds: a control that gave up as soon as what it controls would never say how long it was
# Not etcd, which asks its peers over the nodes' network where there are several.
_PATH = "/livez?exclude=etcd"
_AGAIN = 1.0  # seconds until it is asked again where it gave no answer


def control_api(record: Record, log: Log, period: float, api: Api) -> Work:
    """Asks one after the other while it is recorded in this log. Where no API server listens there is no line; any
    other failure is one, since an API server that could not be asked excuses nobody."""
    while record.log is log:
        since = time.monotonic()
        outcome, took, pause = "ok", 0.0, period
        with record.under_way(log):
            try:
                took = yield from api.took(_PATH, PATIENCE)
            except OSError as error:
                outcome, pause = f"failed:{named(error)}", _AGAIN
            if outcome != "failed:ECONNREFUSED":
                record.write(log, "api-control", "control", outcome, took)
        yield None, 0, since + pause
