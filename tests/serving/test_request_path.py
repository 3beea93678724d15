"""A request for a restoration passes nine files of `serving/`, in the order that the route's docstring gives."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

import serving
from serving.http.auth import Guard, TokenStore, new_token
from serving.inference.worker_pool import WorkerPool
from serving.routes import restorations
from serving.service import Service
from tests.conftest import ROOT
from tests.serving.site import PARAMS, Shared, form, running

_SERVING = Path(serving.__file__).parent
_PREFIX = f"{_SERVING}/"
_LINE = re.compile(r"^\d\. `(?:serving/)?([a-z_/]+\.py)`", re.MULTILINE)


@contextmanager
def traced() -> Iterator[list[str]]:
    """The file of each call into `serving/`, in threads that start within the block."""
    files: list[str] = []

    def trace(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(_PREFIX):
            files.append(name.removeprefix(_PREFIX))

    threading.setprofile(trace)
    try:
        yield files
    finally:
        threading.setprofile(None)
        sys.setprofile(None)


def test_one_request_passes_the_documented_files(service: Service) -> None:
    token = new_token(service.paths, "restore", "path", datetime.now(UTC))
    pool, guard = WorkerPool(PARAMS.serve, service.metrics), Guard(TokenStore(service.paths))
    data, headers = {"subject": "path", "keep_basis": "consent"}, {"Authorization": f"Bearer {token}"}
    with traced() as files, running(Shared.of(service, pool=pool, guard=guard)) as url:
        httpx.get(f"{url}/healthz")
        files.clear()
        answer = httpx.post(f"{url}/v1/restorations", files=form(), data=data, headers=headers, timeout=120)
        passed = list(dict.fromkeys(files))
    pool.close()
    service.context.pictures.forget("path")
    assert (answer.status_code, answer.json()["kept"]) == (200, True)
    documented = _LINE.findall(restorations.__doc__ or "")
    assert sorted(passed) == sorted(documented)
    assert len(documented) == 9
    assert _LINE.findall((ROOT / "docs" / "service.md").read_text(encoding="utf-8")) == documented


@pytest.mark.parametrize("name", _LINE.findall(restorations.__doc__ or ""))
def test_each_of_them_is_short(name: str) -> None:
    assert len((_SERVING / name).read_text(encoding="utf-8").splitlines()) <= 300
