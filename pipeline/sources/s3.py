"""Portraits below a prefix of an S3 bucket, through a cache that survives an interruption."""

from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path

from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Accepted, Code, Limits, Rejected
from pipeline.project.object_store import Client, address, connect, translated_errors
from pipeline.sources.item import Identities, SourceItem
from pipeline.sources.s3_cache import Stored, fetch


def portraits(location: str, identity_pattern: str, limits: Limits, cache: Path) -> Iterator[SourceItem]:
    """Yield every object below `s3://bucket/prefix` in order of key; each is downloaded once, when it is read.

    Endpoint, region and credentials come from the environment, as boto3 reads them.

    Raises:
        ConfigError: no credentials.
        DataError: not an S3 address, no such bucket, no right to read it.
        ServiceUnavailable: the endpoint does not answer.
    """
    bucket, prefix = address(location)
    reader = _Reader(limits, cache)
    identities = Identities(identity_pattern)
    for stored in _listing(reader.client, bucket, prefix):
        name = stored.key[len(prefix) :].lstrip("/") or stored.key
        yield SourceItem(name, identities.of(name), None, partial(reader.read, stored))
    identities.check()


def _listing(client: Client, bucket: str, prefix: str) -> Iterator[Stored]:
    """List objects in order of key, a page in memory at a time; empty objects that stand for folders are left out."""
    pages = iter(client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    while True:
        with translated_errors(f"s3://{bucket}/{prefix}"):
            page = next(pages, None)
        if page is None:
            return
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield Stored(bucket, entry["Key"], entry["Size"], entry["ETag"].strip('"'))


class _Reader:
    """Reads objects by a client of its own: pickled, for another process, it makes a new one there."""

    def __init__(self, limits: Limits, cache: Path) -> None:
        self._limits, self._cache = limits, cache

    def __reduce__(self) -> tuple[type["_Reader"], tuple[Limits, Path]]:
        return _Reader, (self._limits, self._cache)

    @cached_property
    def client(self) -> Client:
        """The client, made when it is first asked for."""
        return connect()

    def read(self, stored: Stored) -> Accepted | Rejected:
        """Fetch an object into the cache and read it."""
        if stored.size > self._limits.max_bytes:
            return Rejected(Code.TOO_MANY_BYTES, f"{stored.size} bytes, at most {self._limits.max_bytes}")
        with translated_errors(f"s3://{stored.bucket}/{stored.key}"):
            path = fetch(self.client, stored, self._cache)
        if path is None:
            return Rejected(Code.NOT_AS_STORED, "downloaded twice, and both times the checksum was wrong")
        return read_file(path, self._limits)
