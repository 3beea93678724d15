"""Keeping and forgetting, in a folder and in a versioned bucket behind a real socket."""

import json
import re
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError, ServiceUnavailable
from pipeline.config.data import KeepParams
from pipeline.consent.records import expire_stored
from pipeline.consent.store import BucketStore, FolderStore, checked
from pipeline.image_io.outcome import Accepted, Limits, Rejected
from pipeline.project.paths import Paths
from pipeline.sources.production import portraits
from serving.privacy.personal_data import KeptPictures, PictureStore
from tests.s3 import BUCKET, client, server, versioned  # noqa: F401 - fixtures

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LIMITS = Limits(max_bytes=2**20, max_pixels=10**6, min_side=64, max_aspect=20.0)


def pictures(seed: int = 1, references: int = 1) -> KeptPictures:
    random = np.random.default_rng(seed)
    damaged, restored = random.integers(0, 256, (2, 70, 66, 3), np.uint8)
    photos = tuple(random.integers(0, 256, (references, 80, 90, 3), np.uint8))
    return KeptPictures(damaged, random.random((70, 66)) < 0.3, restored, photos)


def keeper(root: Path, location: str = "", days: int = 30) -> PictureStore:
    return PictureStore(Paths(root), KeepParams(days=days, location=location))


def keep(store: PictureStore, subject: str, basis: str, shown: KeptPictures, request_id: str, now: datetime) -> str:
    """Keep the pictures of a request that has just arrived."""
    return store.keep(store.person(subject, store.deletions()), basis, shown, request_id, now)


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_nothing_is_kept_without_a_subject_and_a_basis(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    assert [keep(kept, "", "consent", pictures(), "r1", NOW), keep(kept, "ann", " ", pictures(), "r1", NOW)] == ["", ""]
    assert not Paths(tmp_path).kept.exists()


def test_what_is_kept_lies_under_a_record_with_an_expiry(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    assert keep(kept, "ann@example.org", " consent, form 7 ", pictures(references=2), "r1", NOW) == "r1"
    name = kept.pseudonym("ann@example.org")
    place = Paths(tmp_path).kept / name / "r1"
    assert files(place) == [
        "damaged.png",
        "mask.png",
        "record.json",
        "reference-1.png",
        "reference-2.png",
        "restored.png",
    ]
    record = json.loads((place / "record.json").read_text())
    assert record["basis"] == "consent, form 7"
    assert (record["time"], record["expires"]) == ("2026-05-04T12:00:00Z", "2026-06-03T12:00:00Z")
    assert sorted(record["pictures"]) == [file for file in files(place) if file != "record.json"]
    assert all(stat.S_IMODE((place / file).stat().st_mode) == 0o600 for file in files(place))
    assert b"ann" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_forgetting_takes_pictures_records_and_versions_of_one_person_only(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    bucket = request.getfixturevalue("versioned") if where == "bucket" else None
    kept = keeper(tmp_path, f"s3://{BUCKET}/kept/here" if bucket else "")
    for subject, request_id in (("ann", "r1"), ("ann", "r2"), ("ann", "r2"), ("bob", "r3")):
        keep(kept, subject, "consent", pictures(), request_id, NOW)
    anns, bobs = kept.pseudonym("ann"), kept.pseudonym("bob")
    assert (kept.forget("nobody"), kept.forget("ann"), kept.forget("ann")) == (0, 2, 0)
    left = everything(bucket) if bucket else files(Paths(tmp_path).kept)
    assert len(left) == 5
    assert all(bobs in key for key in left)
    assert anns not in "".join(left)


def everything(bucket: Any) -> list[str]:
    listing = bucket.list_object_versions(Bucket=BUCKET)
    return [entry["Key"] for kind in ("Versions", "DeleteMarkers") for entry in listing.get(kind, [])]


def test_a_prefix_is_no_person(tmp_path: Path, versioned: Any) -> None:  # noqa: F811 - fixture
    kept = keeper(tmp_path, f"s3://{BUCKET}")
    keep(kept, "ann", "consent", pictures(), "r1", NOW)
    name = kept.pseudonym("ann")
    versioned.put_object(Bucket=BUCKET, Key=f"{name}-other/r1/damaged.png", Body=b"x")
    assert kept.forget("ann") == 1
    assert everything(versioned) == [f"{name}-other/r1/damaged.png"]


def test_a_pseudonym_is_stable_until_it_is_forgotten_and_then_another(tmp_path: Path) -> None:
    first, second = keeper(tmp_path), keeper(tmp_path)
    name = first.pseudonym("ann")
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert second.pseudonym("ann") == name
    assert len({name, first.pseudonym("Ann"), first.pseudonym("bob")}) == 3
    second.forget("ann")
    assert first.pseudonym("ann") != name
    assert keeper(tmp_path / "elsewhere").pseudonym("bob") != first.pseudonym("bob")
    assert first.pseudonym("") == ""


def test_a_forgotten_salt_leaves_no_trace_in_its_file(tmp_path: Path) -> None:
    kept, table = keeper(tmp_path), Paths(tmp_path).subjects
    kept.pseudonym("ann")
    with sqlite3.connect(table) as opened:
        lookup, salt = opened.execute("SELECT lookup, masked FROM subjects").fetchone()
    opened.close()
    assert salt in table.read_bytes()
    kept.forget("ann")
    assert salt not in table.read_bytes()
    assert lookup not in table.read_bytes()


def test_many_threads_agree_on_a_pseudonym(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: keeper(tmp_path).pseudonym("ann"), range(24)))
    assert len(set(names)) == 1


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_what_is_past_its_expiry_goes(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    location = f"s3://{BUCKET}/x" if where == "bucket" and request.getfixturevalue("versioned") else ""
    kept = keeper(tmp_path, location, days=30)
    keep(kept, "ann", "consent", pictures(), "old", NOW - timedelta(days=30))
    keep(kept, "ann", "consent", pictures(), "new", NOW - timedelta(days=29))
    assert kept.expire(NOW) == 1
    assert kept.expire(NOW) == 0
    assert expire_stored(Paths(tmp_path), KeepParams(days=30, location=location), NOW + timedelta(days=1)) == 1
    assert kept.forget("ann") == 0


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_what_was_kept_can_be_looked_at_until_it_expires_or_is_forgotten(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kept = keeper(tmp_path, f"s3://{BUCKET}/y" if where == "bucket" and request.getfixturevalue("versioned") else "")
    shown = pictures(references=1)
    keep(kept, "ann", "consent", shown, "r1", NOW)
    name = kept.pseudonym("ann")
    assert kept.pictures(name, "r1", NOW) == dict(shown.files())
    assert kept.pictures(name, "r1", NOW + timedelta(days=30)) is None
    assert [kept.pictures(*key, NOW) for key in (("", "r1"), (name, "r2"), (kept.pseudonym("bob"), "r1"))] == [None] * 3
    kept.forget("ann")
    assert (kept.record(name, "r1", NOW), kept.pictures(name, "r1", NOW)) == (None, None)


@pytest.mark.parametrize("last", ["mask.png", "restored.png"])
def test_what_is_deleted_or_changed_during_a_look_is_not_shown_in_part(
    last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, real = keeper(tmp_path), FolderStore.get
    keep(kept, "ann", "consent", pictures(), "r1", NOW)
    name = kept.pseudonym("ann")

    def get(store: FolderStore, key: str) -> bytes | None:
        if key.endswith(last):
            keeper(tmp_path).forget("ann")
        return real(store, key)

    monkeypatch.setattr(FolderStore, "get", get)
    assert kept.pictures(name, "r1", NOW) is None
    monkeypatch.undo()
    keep(kept, "ann", "consent", pictures(), "r2", NOW)
    (Paths(tmp_path).kept / kept.pseudonym("ann") / "r2" / last).write_bytes(b"another picture")
    assert kept.pictures(kept.pseudonym("ann"), "r2", NOW) is None


def test_pictures_without_a_record_expire_at_once(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    keep(kept, "ann", "consent", pictures(), "r1", NOW)
    (Paths(tmp_path).kept / kept.pseudonym("ann") / "r1" / "record.json").write_text("{}")
    assert kept.expire(NOW) == 1
    assert files(Paths(tmp_path).kept) == []


def test_someone_forgotten_while_pictures_are_written_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, real = keeper(tmp_path), FolderStore.put

    def put(store: FolderStore, key: str, content: bytes) -> None:
        real(store, key, content)
        if key.endswith("mask.png"):
            keeper(tmp_path).forget("ann")

    monkeypatch.setattr(FolderStore, "put", put)
    assert keep(kept, "ann", "consent", pictures(), "r1", NOW) == ""
    assert files(Paths(tmp_path).kept) == []


@pytest.mark.parametrize("where", ["folder", "bucket"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ServiceUnavailable("S3", "none", "wait")])
def test_pictures_of_which_one_cannot_be_written_all_go_again(
    error: Exception, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    bucket = request.getfixturevalue("versioned") if where == "bucket" else None
    kept, kind = keeper(tmp_path, f"s3://{BUCKET}/kept" if bucket else ""), BucketStore if bucket else FolderStore
    keep(kept, "ann", "consent", pictures(), "r1", NOW)
    before, real = everything(bucket) if bucket else files(Paths(tmp_path).kept), kind.put

    def put(store: Any, key: str, content: bytes) -> None:
        if key.endswith("restored.png"):
            raise error
        real(store, key, content)

    monkeypatch.setattr(kind, "put", put)
    with pytest.raises(type(error)):
        keep(kept, "ann", "consent", pictures(), "r2", NOW)
    assert (everything(bucket) if bucket else files(Paths(tmp_path).kept)) == before
    monkeypatch.undo()
    assert kept.forget("ann") == 1


def test_a_store_that_can_be_left_in_part_only_says_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither writing nor deleting works: the record says until when."""
    kept, real = keeper(tmp_path), FolderStore.put

    def put(store: FolderStore, key: str, content: bytes) -> None:
        real(store, key, content)
        monkeypatch.setattr(FolderStore, "delete", refuse)
        raise OSError(30, "Read-only file system")

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(FolderStore, "put", put)
    with pytest.raises(OSError, match="Read-only"):
        keep(kept, "ann", "consent", pictures(), "r1", NOW)
    assert "pictures of a failed request stay until they expire" in caplog.text
    monkeypatch.undo()
    assert kept.expire(NOW + timedelta(days=31)) == 1


@pytest.mark.parametrize(
    "key", ["..", "../../x", "a/../b", "/etc", "a//b", "a/b/../c.png", "a/b/c.png/d", "", "a\x00", "ä"]
)
def test_no_key_leads_out_of_the_store(key: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="use the ids that the service gave"):
        FolderStore(tmp_path).delete(key)
    with pytest.raises(DataError, match="use the ids"):
        keep(keeper(tmp_path), "ann", "consent", pictures(), key, NOW)


@given(st.text(max_size=40))
def test_keys_stay_below_the_store(key: str) -> None:
    try:
        path = (Path("/store") / checked(key)).resolve()
    except DataError:
        return
    assert path.is_relative_to("/store")
    assert path != Path("/store")


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "r1").mkdir(parents=True)
    (outside / "r1" / "damaged.png").write_bytes(b"theirs")
    store = FolderStore(tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "person").symlink_to(outside)
    store.delete("person")
    assert (outside / "r1" / "damaged.png").read_bytes() == b"theirs"


def test_a_long_basis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="201 characters; name the legal basis"):
        keep(keeper(tmp_path), "ann", "x" * 201, pictures(), "r1", NOW)


def test_references_are_taken_in_until_they_expire_or_are_forgotten(tmp_path: Path) -> None:
    kept = keeper(tmp_path, days=30)
    shown = {"r1": pictures(1, references=2), "r2": pictures(2)}
    keep(kept, "ann", "consent", shown["r1"], "r1", NOW)
    keep(kept, "bob", "consent", shown["r2"], "r2", NOW - timedelta(days=10))
    store = FolderStore(Paths(tmp_path).kept)
    items = {item.consent: item for item in portraits(store, LIMITS, NOW)}
    assert {(item.identity, item.split) for item in items.values()} == {
        (kept.pseudonym("ann"), "train"),
        (kept.pseudonym("bob"), "train"),
    }
    read = items["r2"].read()
    assert isinstance(read, Accepted)
    assert np.array_equal(read.image, shown["r2"].references[0])
    assert [item.name.rpartition("/")[2] for item in portraits(store, LIMITS, NOW)].count("reference-2.png") == 1
    assert {item.consent for item in portraits(store, LIMITS, NOW + timedelta(days=20))} == {"r1"}
    kept.forget("ann")
    assert {item.consent for item in portraits(store, LIMITS, NOW)} == {"r2"}


def test_a_picture_that_its_record_does_not_know_is_rejected(tmp_path: Path) -> None:
    kept = keeper(tmp_path)
    keep(kept, "ann", "consent", pictures(), "r1", NOW)
    place = Paths(tmp_path).kept / kept.pseudonym("ann") / "r1"
    (place / "reference-1.png").write_bytes(next(iter(pictures(9).files()))[1])
    item = next(portraits(FolderStore(Paths(tmp_path).kept), LIMITS, NOW))
    refused = item.read()
    assert isinstance(refused, Rejected)
    assert "another SHA-256" in refused.detail
