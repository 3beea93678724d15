"""Portraits below a prefix of an S3 bucket, through a cache that survives an interruption."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)

from models.errors import ConfigError, DataError, LikenessError, ServiceUnavailable
from pipeline.reading import Accepted, Code, Limits, Rejected, read_file
from pipeline.sources.item import Identities, SourceItem
from pipeline.sources.s3_cache import Client, Stored, fetch

_ENDPOINT = "AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL)"
_QUICK = Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 2, "mode": "standard"})


def portraits(location: str, identity_pattern: str, limits: Limits, cache: Path) -> Iterator[SourceItem]:
    """Every object below `s3://bucket/prefix` in order of key; each is downloaded when it is read, once for good.

    Endpoint, region and credentials come from the environment, as boto3 reads them.

    Raises:
        ConfigError: no credentials.
        DataError: not an S3 address, no such bucket, no right to read it.
        ServiceUnavailable: the endpoint does not answer.
    """
    bucket, prefix = address(location)
    client = connect()
    identities = Identities(identity_pattern)
    for stored in _listing(client, bucket, prefix):
        name = stored.key[len(prefix) :].lstrip("/") or stored.key
        yield SourceItem(name, identities.of(name), None, partial(_read, client, stored, limits, cache))
    identities.check()


def connect() -> Client:
    """A client for S3 as the environment describes it."""
    return boto3.Session().client("s3", config=_QUICK)  # the default session would remember old credentials


def address(location: str, key: str = "data.location") -> tuple[str, str]:
    """Bucket and prefix of `s3://bucket/prefix`; `key` of params.yaml is where it stands.

    Raises:
        DataError: not such an address.
    """
    parts = urlsplit(location, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise DataError(f"{key} as s3://bucket/prefix", location, f"correct {key} in params.yaml")
    return parts.netloc, parts.path.lstrip("/")


def _listing(client: Client, bucket: str, prefix: str) -> Iterator[Stored]:
    """Objects in order of key, a page in memory at a time; the empty objects that stand for folders are left out."""
    pages = iter(client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    while True:
        with told_apart(f"s3://{bucket}/{prefix}"):
            page = next(pages, None)
        if page is None:
            return
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield Stored(bucket, entry["Key"], entry["Size"], entry["ETag"].strip('"'))


def _read(client: Client, stored: Stored, limits: Limits, cache: Path) -> Accepted | Rejected:
    if stored.size > limits.max_bytes:
        return Rejected(Code.TOO_MANY_BYTES, f"{stored.size} bytes, at most {limits.max_bytes}")
    with told_apart(f"s3://{stored.bucket}/{stored.key}"):
        path = fetch(client, stored, cache)
    if path is None:
        return Rejected(Code.CORRUPT, "downloaded twice, and both times the checksum was wrong")
    return read_file(path, limits)


@contextmanager
def told_apart(what: str) -> Iterator[None]:
    """Turn botocore's errors into ours: what is away for now, what is wrong with the set-up, what is not there."""
    try:
        yield
    except NoCredentialsError as error:
        remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise ConfigError(f"credentials for {what}", "none", remedy) from error
    except (botocore_errors.ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise _unavailable(what, str(error)) from error
    except ClientError as error:
        raise _refused(what, error) from error
    except BotoCoreError as error:
        raise ConfigError(f"a usable S3 set-up for {what}", str(error), f"check {_ENDPOINT} and AWS_REGION") from error


def _unavailable(what: str, reason: str) -> ServiceUnavailable:
    return ServiceUnavailable(f"an answer for {what}", reason, f"check the network and {_ENDPOINT}, then try again")


def _refused(what: str, error: ClientError) -> LikenessError:
    code = str(error.response.get("Error", {}).get("Code", "an error without a code"))
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500 or code == "SlowDown":
        return _unavailable(what, code)
    return DataError(f"to read {what}", code, "check data.location and the rights of the credentials")
