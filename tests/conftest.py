"""Options of the whole test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-failed", action="store_true", help="leave the cluster of a failed end-to-end test")
