"""Stage `masks`: a frozen, balanced, reproducible set for the test split."""

from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from pipeline.config.load import Params, load_params
from pipeline.damage.mask_table import SCHEMA, record_of
from pipeline.damage.sampler import redraw
from pipeline.masks import MasksReport, masks
from pipeline.portraits.read import load_masks, read_masks
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.faces import mean_landmarks

SIZE = 64


def _params(**overrides: object) -> Params:
    return load_params(ROOT / "params.yaml", {"ingest.image_size": SIZE, **overrides})


def _portraits(root: Path, splits: list[str]) -> Paths:
    paths = Paths(root)
    paths.portraits.mkdir(parents=True)
    shifts = np.random.default_rng(0).normal(0, 2, (len(splits), 1, 2))
    landmarks = [(mean_landmarks(SIZE) + shift).astype(np.float32).ravel().tolist() for shift in shifts]
    ids = [f"{number:016x}" for number in range(len(splits))]
    pq.write_table(pa.table({"portrait_id": ids, "split": splits, "landmarks": landmarks}), paths.portrait_rows)
    return paths


def _run(paths: Paths, **overrides: object) -> MasksReport:
    params = _params(**overrides)
    return masks(masks=params.masks, ingest=params.ingest, paths=paths)


def test_rows_pictures_and_report_agree(tmp_path: Path) -> None:
    paths = _portraits(tmp_path, ["train", "test"] * 25 + ["validation"])
    report = _run(paths, **{"masks.evaluation.per_portrait": 2})
    rows = read_masks(paths)
    assert report == MasksReport.model_validate_json(paths.mask_report.read_text())
    assert (report.portraits, report.masks, len(rows)) == (25, 50, 50)
    assert rows["portrait_id"].map(lambda name: int(name, 16) % 2 == 1).all()  # the test split only
    assert pq.read_schema(paths.mask_rows) == SCHEMA
    assert set(report.kinds.values()) == {5}
    assert set(report.buckets.values()) == {10}
    for bucket, mean in report.mean_coverage.items():
        assert mean == pytest.approx(rows.loc[rows["bucket"] == bucket, "coverage"].mean(), abs=1e-4)
    assert {path.name for path in paths.masks.glob("*.png")} == {
        f"{name}.{part}.png" for name in rows["mask_id"] for part in ("hole", "chroma")
    }


def test_every_row_redraws_its_pictures(tmp_path: Path) -> None:
    paths = _portraits(tmp_path, ["test"] * 12)
    _run(paths)
    landmarks = pq.read_table(paths.portrait_rows).to_pydict()["landmarks"]
    for row in read_masks(paths).to_dict("records"):
        points = np.float32(landmarks[int(row["portrait_id"], 16)]).reshape(68, 2)
        damage = redraw(record_of(cast("dict[str, Any]", row)), points, SIZE)
        hole, chroma = load_masks(paths, row["mask_id"])
        assert np.array_equal(hole, damage.hole)
        assert np.array_equal(chroma, damage.chroma)
        assert hole.mean() == pytest.approx(row["area"], abs=1e-6)


def test_pictures_are_black_and_white(tmp_path: Path) -> None:
    paths = _portraits(tmp_path, ["test"])
    _run(paths)
    picture = cv2.imread(str(paths.masks / f"{0:016x}-0.hole.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == (SIZE, SIZE)
    assert set(np.unique(picture)) <= {0, 255}


def test_a_second_run_writes_the_same_bytes_and_a_new_seed_others(tmp_path: Path) -> None:
    paths = _portraits(tmp_path, ["test"] * 4)
    contents = []
    for seed in (23, 23, 24):
        _run(paths, **{"masks.evaluation.seed": seed})
        contents.append({path.name: path.read_bytes() for path in paths.masks.iterdir()})
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_an_empty_split_leaves_the_old_masks_as_they_were(tmp_path: Path) -> None:
    paths = _portraits(tmp_path / "a", ["train"])
    paths.masks.mkdir(parents=True)
    (paths.masks / "old").touch()
    with pytest.raises(DataError, match=r"expected portraits in the split test; got none; raise data\.split\.test"):
        _run(paths)
    assert [path.name for path in paths.masks.iterdir()] == ["old"]
    assert not paths.mask_report.exists()
    with pytest.raises(DataError, match="run the stage ingest first"):
        _run(Paths(tmp_path / "b"))
