"""An S3 server of one's own for tests: moto behind a real socket. Import the fixtures where they are used."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "family"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a running server."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


def leads_to(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """The environment leads every client to `endpoint`, with credentials that moto takes."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def client(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client with an empty bucket; the environment leads every other client to the same server."""
    leads_to(monkeypatch, server)
    made = boto3.client("s3")
    made.create_bucket(Bucket=BUCKET)
    yield made
    for page in list(made.get_paginator("list_object_versions").paginate(Bucket=BUCKET)):  # all, before any is deleted
        for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            made.delete_object(Bucket=BUCKET, Key=entry["Key"], VersionId=entry["VersionId"])
    made.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def versioned(client: Any) -> Any:
    """The same; the bucket keeps what is deleted or written over."""
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client
