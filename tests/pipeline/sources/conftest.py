"""An S3 server for the tests of this folder."""

from tests.s3 import client, server, versioned  # noqa: F401 - fixtures
