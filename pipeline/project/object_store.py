"""Client for S3, its addresses, and its errors as those of Likeness."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
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

from models.errors import ConfigError, DataError, LikenessError, ServiceUnavailable, StoreRefused
from pipeline.project.environment import environment

Client = Any
"""boto3 makes its clients, and what they return, at run time."""

_ENDPOINT = "LIKENESS_S3_ENDPOINT (or AWS_ENDPOINT_URL_S3)"
_QUICK = Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 2, "mode": "standard"})


def connect() -> Client:
    """Make a client for S3 as the environment describes it."""
    endpoint = environment().s3_endpoint or None  # None: as boto3's own variables say
    # the default session would remember old credentials
    return boto3.Session().client("s3", endpoint_url=endpoint, config=_QUICK)


def address(location: str, key: str = "data.location") -> tuple[str, str]:
    """Split `s3://bucket/prefix` into bucket and prefix; `key` of params.yaml is where it stands.

    Raises:
        DataError: not such an address.
    """
    parts = urlsplit(location, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise DataError(f"{key} as s3://bucket/prefix", location, f"correct {key} in params.yaml")
    return parts.netloc, parts.path.lstrip("/")


@contextmanager
def translated_errors(what: str) -> Iterator[None]:
    """Translate botocore's errors: what is away for now, what is wrong with the set-up, what is not there."""
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
    return StoreRefused(f"to read {what}", code, "check data.location and the permissions of the credentials")
