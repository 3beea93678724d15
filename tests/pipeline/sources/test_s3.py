"""S3 against moto's server: listing, resuming, checksums, and what goes wrong."""

import base64
import hashlib
import io
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from models.errors import ConfigError, DataError, ServiceUnavailable
from pipeline.image_io.outcome import Accepted, Code, Limits, Rejected
from pipeline.sources.s3 import portraits
from pipeline.sources.s3_cache import Stored, fetch
from scripts.hostile.bad_files import encoded, portrait
from tests.s3 import BUCKET, leads_to

LIMITS = Limits(max_bytes=2**20, max_pixels=10**6, min_side=64, max_aspect=20.0)
FACE = encoded(portrait(), "PNG")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def _stored(client: Any, key: str) -> Stored:
    head = client.head_object(Bucket=BUCKET, Key=key)
    return Stored(BUCKET, key, head["ContentLength"], head["ETag"].strip('"'))


def _receipt(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    return loaded


def test_a_prefix_is_read_in_order_with_odd_keys_kept_off_the_disk(client: Any, tmp_path: Path) -> None:
    for key in ("in/b/2.png", "in/../../evil.png", "in/a.png", "other/x.png", "in/folder/"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"" if key.endswith("/") else FACE)
    client.put_object(Bucket=BUCKET, Key="in/text.png", Body=b"no picture")
    items = list(portraits(f"s3://{BUCKET}/in/", "", LIMITS, tmp_path / "cache"))
    outcomes = [item.read() for item in items]
    assert [item.name for item in items] == ["../../evil.png", "a.png", "b/2.png", "text.png"]
    assert [isinstance(outcome, Accepted) for outcome in outcomes] == [True, True, True, False]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parent for path in written} == {tmp_path / "cache" / "s3"}
    assert len(written) == 8  # a file and its receipt for each of four


@pytest.fixture(params=["client", "versioned"])
def either(request: pytest.FixtureRequest) -> Any:
    """A bucket that forgets what was written over, and one that does not."""
    return request.getfixturevalue(request.param)


def test_the_endpoint_may_be_named_by_our_own_variable(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.put_object(Bucket=BUCKET, Key="in/a.png", Body=FACE)
    monkeypatch.setenv("LIKENESS_S3_ENDPOINT", os.environ["AWS_ENDPOINT_URL_S3"])
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    (item,) = portraits(f"s3://{BUCKET}/in", "", LIMITS, tmp_path)
    assert isinstance(item.read(), Accepted)


def test_a_listing_of_several_pages_is_complete(either: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")  # a page of the server in this process
    for number in range(8):
        for body in (b"before", b"x"):
            either.put_object(Bucket=BUCKET, Key=f"many/{number}.png", Body=body)
    assert either.list_objects_v2(Bucket=BUCKET)["IsTruncated"]
    names = [item.name for item in portraits(f"s3://{BUCKET}/many", "", LIMITS, tmp_path)]
    assert names == [f"{number}.png" for number in range(8)]


def test_a_whole_file_is_not_asked_for_again(either: Any, tmp_path: Path) -> None:
    either.put_object(Bucket=BUCKET, Key="a", Body=FACE)
    stored = _stored(either, "a")
    first = fetch(either, stored, tmp_path)
    either.delete_object(Bucket=BUCKET, Key="a")  # a second request would fail
    assert first is not None
    assert fetch(either, stored, tmp_path) == first
    assert first.read_bytes() == FACE


@pytest.mark.parametrize("damaged", [FACE[:-20], b"\0" * len(FACE), b""])
def test_a_cached_file_that_is_not_what_was_fetched_is_fetched_anew(
    damaged: bytes, client: Any, tmp_path: Path
) -> None:
    client.put_object(Bucket=BUCKET, Key="a", Body=FACE)
    stored = _stored(client, "a")
    path = fetch(client, stored, tmp_path)
    assert path is not None
    path.write_bytes(damaged)
    receipt = _receipt(path) | {"content": hashlib.sha256(damaged).hexdigest()}  # the ETag in the listing tells
    for written in (_receipt(path), receipt):
        path.with_suffix(".json").write_text(json.dumps(written))
        path.write_bytes(damaged)
        assert fetch(client, stored, tmp_path) == path
        assert path.read_bytes() == FACE


def test_a_changed_object_is_fetched_anew(either: Any, tmp_path: Path) -> None:
    either.put_object(Bucket=BUCKET, Key="a", Body=FACE)
    fetch(either, _stored(either, "a"), tmp_path)
    either.put_object(Bucket=BUCKET, Key="a", Body=b"changed")
    path = fetch(either, _stored(either, "a"), tmp_path)
    assert path is not None
    assert path.read_bytes() == b"changed"


def test_an_interrupted_download_goes_on_where_it_stopped(client: Any, tmp_path: Path) -> None:
    body = bytes(range(256)) * 4096
    client.put_object(Bucket=BUCKET, Key="big", Body=body)
    stored = _stored(client, "big")
    path = fetch(client, stored, tmp_path)
    assert path is not None
    path.with_suffix(".json").unlink()
    path.unlink()
    part = path.with_name(f"{path.stem}.{stored.etag}.part")
    part.write_bytes(body[:700_000])
    ranges: list[str] = []
    client.meta.events.register(
        "before-call.s3.GetObject", lambda params, **_: ranges.append(params["headers"]["Range"])
    )
    assert fetch(client, stored, tmp_path) == path
    assert ranges == ["bytes=700000-"]
    assert path.read_bytes() == body
    assert not part.exists()


def test_a_rotten_part_is_noticed_and_fetched_once_more(client: Any, tmp_path: Path) -> None:
    client.put_object(Bucket=BUCKET, Key="a", Body=FACE)
    stored = _stored(client, "a")
    path = fetch(client, stored, tmp_path)
    assert path is not None
    path.with_suffix(".json").unlink()
    path.rename(path.with_name(f"{path.stem}.{stored.etag}.part"))
    part = path.with_name(f"{path.stem}.{stored.etag}.part")
    part.write_bytes(b"\0" * len(FACE))  # right size, wrong bytes
    assert fetch(client, stored, tmp_path) == path
    assert path.read_bytes() == FACE


def test_the_strongest_checksum_is_compared_and_written_down(client: Any, tmp_path: Path) -> None:
    digest = base64.b64encode(hashlib.sha256(FACE).digest()).decode()
    client.put_object(Bucket=BUCKET, Key="strong", Body=FACE, ChecksumSHA256=digest, ChecksumAlgorithm="SHA256")
    client.put_object(Bucket=BUCKET, Key="plain", Body=FACE)
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    parts = []
    for number, body in enumerate([b"a" * (5 * 2**20), b"b"], start=1):
        part = client.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=number, Body=io.BytesIO(body))
        parts.append({"ETag": part["ETag"], "PartNumber": number})
    client.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    verified = {}
    for key in ("strong", "plain", "parts"):
        path = fetch(client, _stored(client, key), tmp_path)
        assert path is not None
        verified[key] = _receipt(path)["verified"]
    assert verified == {"strong": "sha256", "plain": "md5", "parts": "size"}


def test_an_object_that_never_matches_is_rejected_and_the_rest_goes_on(client: Any, tmp_path: Path) -> None:
    client.put_object(Bucket=BUCKET, Key="a", Body=FACE)
    wrong = Stored(BUCKET, "a", len(FACE), hashlib.md5(b"other").hexdigest())
    client.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: params.pop("IfMatch") and None
    )
    assert fetch(client, wrong, tmp_path) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_too_many_bytes_are_not_downloaded(client: Any, tmp_path: Path) -> None:
    client.put_object(Bucket=BUCKET, Key="a", Body=b"\0" * (2**20 + 1))
    [item] = portraits(f"s3://{BUCKET}", "", LIMITS, tmp_path)
    outcome = item.read()
    assert isinstance(outcome, Rejected)
    assert outcome.code == Code.TOO_MANY_BYTES
    assert not list(tmp_path.iterdir())


def test_a_missing_bucket_and_a_wrong_address(client: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"to read s3://absent/x; got NoSuchBucket; check data\.location"):
        list(portraits("s3://absent/x", "", LIMITS, tmp_path))
    with pytest.raises(DataError, match=r"s3://bucket/prefix; got http://family/x"):
        list(portraits("http://family/x", "", LIMITS, tmp_path))


def test_an_endpoint_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    leads_to(monkeypatch, f"http://127.0.0.1:{port}")
    with pytest.raises(ServiceUnavailable, match=r"an answer for s3://family/in; got .*AWS_ENDPOINT_URL_S3"):
        list(portraits(f"s3://{BUCKET}/in", "", LIMITS, tmp_path))


def test_no_credentials(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leads_to(monkeypatch, server)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="credentials for s3://family/in; got none; set AWS_ACCESS_KEY_ID"):
        list(portraits(f"s3://{BUCKET}/in", "", LIMITS, tmp_path))
