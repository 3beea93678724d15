"""Ingest on real parts: the built-in sampler and a folder with everything that goes wrong."""

import hashlib
import json
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from models.assets import EDITIONS, OPEN, RESEARCH
from models.errors import ConfigError, DataError, ServiceUnavailable, WeightsError
from pipeline.config.data import KeepParams
from pipeline.config.load import Params, load_params
from pipeline.consent.records import RECORD, record_of
from pipeline.consent.store import FolderStore
from pipeline.face_sampler.generate import SampledPortrait, portraits
from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Accepted, Code, Limits, Rejected
from pipeline.image_io.write import png_bytes
from pipeline.ingest import IngestReport, ingest
from pipeline.portraits.read import landmarks_of, load_image, points_of, read_portraits
from pipeline.portraits.rows import SCHEMA
from pipeline.project.paths import Paths
from pipeline.sources.item import SourceItem
from scripts.hostile.bad_files import encoded, portrait
from tests.conftest import ROOT

PEOPLE, VIEWS = 6, 2
NOW = datetime(2026, 5, 4, tzinfo=UTC)


def params(**data: object) -> Params:
    return load_params(ROOT / "params.yaml", {f"data.{key}": value for key, value in data.items()})


def run(root: Path, **data: object) -> IngestReport:
    loaded = params(**data)
    return ingest(data=loaded.data, ingest=loaded.ingest, identity=loaded.identity, paths=Paths(root))


@pytest.fixture(scope="module")
def sampled() -> list[SampledPortrait]:
    sampler = params().data.sampler.model_copy(update={"identities": PEOPLE, "views": VIEWS})
    return list(portraits(sampler))


@pytest.fixture(scope="module")
def mixed(sampled: list[SampledPortrait], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twelve portraits of six people and six things that are none."""
    folder = tmp_path_factory.mktemp("mixed")
    for item in sampled:
        kind = "png" if item.view else "jpg"
        Image.fromarray(item.image).save(folder / f"{item.identity}_{item.view}.{kind}", quality=95)
    shutil.copy(folder / f"{sampled[0].identity}_0.jpg", folder / "zz_copy.jpg")
    (folder / "half.png").write_bytes(encoded(portrait(), "PNG")[:400])
    (folder / "text.jpg").write_text("no picture")
    (folder / "link.jpg").symlink_to("text.jpg")
    (folder / "new\nline.png").write_bytes(encoded(Image.new("RGB", (128, 128), "grey"), "PNG"))  # no face
    return folder


@pytest.fixture(scope="module")
def ingested(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestReport, Paths]:
    root = tmp_path_factory.mktemp("root")
    report = run(root, source="folder", location=str(mixed), identity_pattern="^(.+)_")
    return report, Paths(root)


def test_the_report_accounts_for_every_file(ingested: tuple[IngestReport, Paths]) -> None:
    report, paths = ingested
    assert report.files_in == 17
    assert report.accepted == PEOPLE * VIEWS
    assert (report.duplicates, report.other_identity) == (1, 1)
    assert report.quarantined == {"corrupt": 1, "no_face": 1, "not_a_regular_file": 1, "unsupported_format": 1}
    assert report.files_in == report.accepted + report.duplicates + sum(report.quarantined.values())
    assert report.identities == PEOPLE
    assert sum(report.splits.values()) == report.accepted
    assert IngestReport.model_validate_json(paths.ingest_report.read_bytes()) == report


def test_a_picture_under_two_identities_is_told(mixed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "twice"
    folder.mkdir()
    shutil.copy(next(mixed.glob("*_0.jpg")), folder / "anna_0.jpg")
    for name in ("anna_1.jpg", "berta_0.jpg"):
        shutil.copy(folder / "anna_0.jpg", folder / name)
    report = run(tmp_path / "root", source="folder", location=str(folder), identity_pattern="^(.+)_")
    assert (report.accepted, report.duplicates, report.other_identity) == (1, 2, 1)
    assert "berta_0.jpg is the same picture as one of anna, and is named as berta's" in caplog.text


def _give(outcome: Accepted | Rejected) -> Accepted | Rejected:
    return outcome


@pytest.mark.parametrize(("lost", "fails"), [(1, False), (2, True)])
def test_more_objects_than_the_parameter_that_arrive_damaged_fail(
    lost: int, fails: bool, mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred objects: one face, some that never arrive as they are stored, and files that are no pictures."""
    face = read_file(next(mixed.glob("*_0.jpg")), Limits.of(params().ingest))
    no_picture = Rejected(Code.UNSUPPORTED_FORMAT, "text")
    outcomes = [face, *[Rejected(Code.NOT_AS_STORED, "twice")] * lost, *[no_picture] * (99 - lost)]
    items = [SourceItem(f"{n}.jpg", str(n), None, partial(_give, one)) for n, one in enumerate(outcomes)]
    monkeypatch.setattr("pipeline.ingest.open_source", lambda *_: iter(items))
    if fails:
        with pytest.raises(ServiceUnavailable, match="2 of 100 that were wrong twice"):
            run(tmp_path, source="s3", location="s3://bucket/people")
        assert not Paths(tmp_path).portraits.exists()
    else:
        assert run(tmp_path, source="s3", location="s3://bucket/people").quarantined["not_as_stored"] == 1


def test_the_table_has_the_agreed_columns_and_a_picture_for_each_row(ingested: tuple[IngestReport, Paths]) -> None:
    report, paths = ingested
    rows = read_portraits(paths)
    assert list(rows.columns) == SCHEMA.names
    assert len(rows) == report.accepted
    assert rows["portrait_id"].is_unique
    assert (rows["portrait_id"] == rows["sha256"].str[:16]).all()
    assert {path.stem for path in paths.portrait_images.iterdir()} == set(rows["portrait_id"])
    for _, row in rows.iterrows():
        image = load_image(paths, row["portrait_id"])
        assert image.shape == (128, 128, 3)
        assert landmarks_of(row).shape == (68, 2)
    assert rows["sharpness"].gt(0).all()
    assert rows["detector_score"].between(0.6, 1.0).all()


def test_landmarks_and_points_are_in_the_aligned_picture(ingested: tuple[IngestReport, Paths]) -> None:
    """Two independent models agree where eyes and mouth are: YuNet's points and dlib's landmarks."""
    _, paths = ingested
    for _, row in read_portraits(paths).iterrows():
        landmarks, points = landmarks_of(row), points_of(row)
        eyes = np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])
        assert np.abs(eyes - points[:2]).mean() < 4.0
        assert np.abs(landmarks[[48, 54]] - points[3:]).mean() < 6.0


def test_no_identity_is_in_two_splits(ingested: tuple[IngestReport, Paths]) -> None:
    _, paths = ingested
    rows = read_portraits(paths)
    assert rows.groupby("identity")["split"].nunique().max() == 1
    assert set(rows.groupby("identity").size()) == {VIEWS}


def test_quarantine_keeps_a_copy_and_a_record_and_leaves_the_originals(
    ingested: tuple[IngestReport, Paths], mixed: Path
) -> None:
    _, paths = ingested
    lines = (paths.quarantine / "records.jsonl").read_text(encoding="ascii").splitlines()
    records = {row["file"]: row for row in map(json.loads, lines)}
    assert set(records) == {"half.png", "text.jpg", "link.jpg", "new\nline.png"}
    for name in ("half.png", "text.jpg", "new\nline.png"):
        data = (mixed / name).read_bytes()
        record = records[name]
        assert record["sha256"] == hashlib.sha256(data).hexdigest()
        assert record["bytes"] == len(data)
        assert (paths.quarantine / f"{record['id']}.bin").read_bytes() == data
    assert records["link.jpg"]["bytes"] is None
    assert len(list(mixed.iterdir())) == 17


def test_the_digest_names_the_set_and_a_second_run_is_the_same(
    ingested: tuple[IngestReport, Paths], mixed: Path, tmp_path: Path
) -> None:
    report, paths = ingested
    again = run(tmp_path, source="folder", location=str(mixed), identity_pattern="^(.+)_")
    assert again.model_dump(exclude={"seconds"}) == report.model_dump(exclude={"seconds"})
    rows = read_portraits(paths)
    digests = sorted(bytes.fromhex(digest) for digest in rows["sha256"])
    assert report.digest == hashlib.sha256(b"".join(digests)).hexdigest()
    pd.testing.assert_frame_equal(rows, read_portraits(Paths(tmp_path)))
    for name in rows["portrait_id"]:
        first, second = (p.portrait_images / f"{name}.png" for p in (paths, Paths(tmp_path)))
        assert first.read_bytes() == second.read_bytes()


def test_the_sampler_brings_its_own_landmarks(sampled: list[SampledPortrait], tmp_path: Path) -> None:
    report = run(tmp_path, source="sampler", **{"sampler.identities": PEOPLE, "sampler.views": VIEWS})
    assert report.accepted + report.quarantined.get("no_face", 0) == PEOPLE * VIEWS
    assert report.identities == PEOPLE
    rows = read_portraits(Paths(tmp_path)).set_index("file")
    truth = {item.name: item for item in sampled}
    for name, row in rows.iterrows():
        assert row["sha256"] == hashlib.sha256(truth[str(name)].image.tobytes()).hexdigest()
        # a similarity transform keeps ratios of distances, so the drawn shape is found again in the row
        ratio = _shape(landmarks_of(row)) / _shape(truth[str(name)].landmarks)
        assert ratio == pytest.approx(np.full(3, ratio[0]), rel=1e-3)


def _shape(
    landmarks: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Three distances of a face: between the eyes, across the mouth, nose to chin."""
    pairs = landmarks[[36, 48, 30]] - landmarks[[45, 54, 8]]
    return np.asarray(np.linalg.norm(pairs, axis=1), np.float32)


def test_a_failing_run_leaves_what_was_there(ingested: tuple[IngestReport, Paths], tmp_path: Path) -> None:
    report, paths = ingested
    shutil.copytree(paths.root / "data", tmp_path / "data")
    (tmp_path / "faceless").mkdir()
    (tmp_path / "faceless" / "plain.png").write_bytes(encoded(Image.new("RGB", (128, 128)), "PNG"))
    with pytest.raises(
        DataError, match=r"portraits with a face in faceless; got 1 files, no_face: 1; run likeness check on them"
    ):
        run(tmp_path, source="folder", location="faceless")
    assert len(read_portraits(Paths(tmp_path))) == report.accepted
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["portraits", "reports"]


def test_kept_portraits_join_the_training_split_and_move_nobody_else(
    sampled: list[SampledPortrait], mixed: Path, ingested: tuple[IngestReport, Paths], tmp_path: Path
) -> None:
    keep_reference(tmp_path / "kept", png_bytes(np.ascontiguousarray(sampled[0].image[:, ::-1])))
    report, paths = run_with_intake(tmp_path, mixed, NOW, tmp_path / "kept"), Paths(tmp_path)
    before, after = read_portraits(ingested[1]), read_portraits(paths)
    kept = after[after["consent"] != ""]
    assert (report.production, len(kept)) == (1, 1)
    assert kept[["source", "identity", "split", "consent"]].to_numpy().tolist() == [
        ["production", "a" * 32, "train", "r1"]
    ]
    old = after[after["consent"] == ""].drop(columns=["consent"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(old, before.drop(columns=["consent"]).reset_index(drop=True))
    assert run_with_intake(tmp_path / "later", mixed, NOW + timedelta(days=31), tmp_path / "kept").production == 0


def keep_reference(folder: Path, photo: bytes) -> None:
    """One kept reference photo of one person, for 30 days."""
    record = record_of("a" * 32, "r1", "consent", {"reference-1.png": photo}, KeepParams(days=30, location=""), NOW)
    store = FolderStore(folder)
    store.put(f"{record.place}/{RECORD}", record.model_dump_json().encode())
    store.put(f"{record.place}/reference-1.png", photo)


def run_with_intake(root: Path, mixed: Path, now: datetime, intake: Path) -> IngestReport:
    loaded = params(source="folder", location=str(mixed), identity_pattern="^(.+)_", intake=str(intake))
    return ingest(data=loaded.data, ingest=loaded.ingest, identity=loaded.identity, paths=Paths(root), now=now)


def test_the_open_edition_predicts_by_the_mesh_and_learns_from_nobody_of_the_sampler(
    mixed: Path, tmp_path: Path
) -> None:
    landmarks = {}
    for edition in EDITIONS:
        loaded = load_params(
            ROOT / "params.yaml",
            {"data.source": "folder", "data.location": str(mixed), "identity.edition": edition},
        )
        paths = Paths(tmp_path / edition)
        ingest(data=loaded.data, ingest=loaded.ingest, identity=loaded.identity, paths=paths)
        rows = read_portraits(paths).set_index("portrait_id").sort_index()
        landmarks[edition] = np.stack([landmarks_of(row) for _, row in rows.iterrows()])
    apart = np.linalg.norm(landmarks[OPEN] - landmarks[RESEARCH], axis=2)
    assert 0.5 < apart.mean() < 3.0
    openly = params().identity.model_copy(update={"edition": OPEN})
    with pytest.raises(ConfigError, match=r"data.source: sampler; set data.source"):
        ingest(data=params().data, ingest=params().ingest, identity=openly, paths=Paths(tmp_path))


def test_the_detector_is_the_one_that_the_parameters_name(tmp_path: Path) -> None:
    loaded = params()
    absent = loaded.identity.model_copy(update={"detector": str(tmp_path / "nowhere")})
    with pytest.raises(WeightsError, match=r"the insightface pack .*nowhere; got no such folder"):
        ingest(data=loaded.data, ingest=loaded.ingest, identity=absent, paths=Paths(tmp_path))
    assert not Paths(tmp_path).portraits.exists()
