"""What the API server of a prober's own node answers over loopback: what it is too slow for there, no network made."""

from __future__ import annotations

import time

from traffic_api import Api
from traffic_loop import Work
from traffic_record import Log, Record

PATIENCE = 10.0  # seconds: a control that gave up as soon as what it controls would never say how long it was
_ABSENT = 1.0  # seconds until it is asked again where it gave no answer


def control_api(record: Record, log: Log, period: float, api: Api) -> Work:
    """Asks one after the other while it is recorded in this log. Only an answer is a line: where no API server is, or
    where it is refused, nothing is known of it, and nobody is excused."""
    with record.under_way(log):
        while record.log is log:
            since = time.monotonic()
            pause = period
            try:
                yield from api.get("/livez", PATIENCE)
                record.write(log, "api-control", "control", "ok", time.monotonic() - since)
            except OSError:
                pause = _ABSENT
            yield None, 0, since + pause
