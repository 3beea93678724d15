"""Buckets are made once; a second start finds them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from pipeline.project.buckets import make_bucket
from tests.conftest import ROOT
from tests.s3 import leads_to, server

__all__ = ["server"]
_NAME = "archive"


@pytest.fixture(params=["us-east-1", "eu-central-1"])
def client(request: pytest.FixtureRequest, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """In the region that takes no place and forgives a second making, and in one that does neither."""
    leads_to(monkeypatch, server)
    monkeypatch.setenv("AWS_DEFAULT_REGION", request.param)
    made = boto3.client("s3")
    yield made
    made.delete_bucket(Bucket=_NAME)


def test_a_bucket_that_is_there_stays_as_it_is(client: Any) -> None:
    make_bucket(client, _NAME)
    client.put_object(Bucket=_NAME, Key="one", Body=b"1")
    make_bucket(client, _NAME)
    assert [one["Key"] for one in client.list_objects_v2(Bucket=_NAME)["Contents"]] == ["one"]
    client.delete_object(Bucket=_NAME, Key="one")


def test_the_command_of_compose_can_be_repeated(client: Any, server: str) -> None:
    command = [sys.executable, "-m", "pipeline.project.buckets", _NAME]
    environment = {**os.environ, "LIKENESS_S3_ENDPOINT": server}
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    command = [sys.executable, "-m", "pipeline.project.buckets", _NAME]
    environment = {**os.environ, "LIKENESS_S3_ENDPOINT": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "AWS_SECRET_ACCESS_KEY": "b"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("buckets: expected ")
    assert done.stderr.count("\n") == 1
