"""Make buckets of an S3 service: `python -m pipeline.project.buckets NAME...`. Those that are there stay."""

import sys

from models.errors import LikenessError
from pipeline.project.object_store import Client, connect, translated_errors

_WITHOUT_CONSTRAINT = {None, "", "aws-global", "us-east-1"}
"""Regions that S3 does not want to be told."""


def make_bucket(client: Client, name: str) -> None:
    """Make a bucket, unless it is there and these credentials reach it.

    Raises:
        StoreRefused: it belongs to somebody else, or these credentials may make none.
        ServiceUnavailable: S3 does not answer.
    """
    region = client.meta.region_name
    place = {} if region in _WITHOUT_CONSTRAINT else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with translated_errors(f"the bucket {name}"):
        try:
            client.create_bucket(Bucket=name, **place)
        except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            client.head_bucket(Bucket=name)  # some servers call one's own bucket somebody's: this tells


if __name__ == "__main__":
    try:
        for bucket in sys.argv[1:]:
            make_bucket(connect(), bucket)
    except LikenessError as error:
        sys.exit(f"buckets: {error}")
