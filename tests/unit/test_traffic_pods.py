"""What a prober knows of the Pods behind the Service, with a stand-in for the API."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

from traffic_api import Api
from traffic_loop import Loop, Wait
from traffic_pods import Pods
from traffic_record import Record

ENDPOINT = {"addresses": ["10.0.0.9"], "conditions": {"ready": True}, "nodeName": "n", "targetRef": {"name": "s"}}


class SlowApi(Api):
    """Names one Pod, but not at once."""

    def get(self, path: str) -> Generator[Wait, None, bytes]:
        yield None, 0, 0.0
        return json.dumps({"items": [{"endpoints": [ENDPOINT]}]}).encode()


def test_an_answer_to_the_last_recordings_question_brings_its_pods_not_back(tmp_path: Path) -> None:
    api = SlowApi(("127.0.0.1", 1), tmp_path)
    pods = Pods(Loop(), Record(tmp_path, "p", 1.0), api, "/", 8090, 1)
    old = pods.look()
    next(old)
    pods.forget()
    assert list(old) == [] and pods.on_nodes(lambda _: True) == {}, "those of before a pause would count as failures"
    assert len(list(pods.look())) == 1
    assert pods.on_nodes(lambda _: True) == {"s": ("10.0.0.9", 8090)}, "the new one's answer would be lost"
