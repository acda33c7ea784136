"""The Go programs that the images hold have tests of their own, run here."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from kit.paths import AIRGAP


@pytest.mark.skipif(shutil.which("go") is None, reason="no Go on this machine")
@pytest.mark.parametrize("folder", ["runc-shim", "images/pause"])
def test_the_go_programs_pass_vet_and_their_tests(folder: str) -> None:
    env = {**os.environ, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    for command in (["go", "vet", "./..."], ["go", "test", "./..."]):
        done = subprocess.run(command, cwd=AIRGAP / folder, env=env, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
