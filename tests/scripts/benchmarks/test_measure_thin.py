from pathlib import Path

import cv2
import numpy as np

from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from scripts.benchmarks.measure_thin import CRACKS, cracks, measure_cracks, methods


def test_cracks_are_those_of_their_seed_and_grow_with_their_width() -> None:
    first, again, wide = (cracks(np.random.default_rng(4), (200, 200), width) for width in (2.0, 2.0, 8.0))
    assert np.array_equal(first, again)
    assert 0 < first.mean() < wide.mean() < 0.6


def test_each_method_leaves_nothing_of_the_damage() -> None:
    photo = np.full((64, 64, 3), 100, np.uint8)
    hole = np.zeros((64, 64), np.bool_)
    hole[30:34, 10:50] = True
    damaged = np.where(hole[..., None], np.uint8(255), photo)
    for name, method in methods().items():
        assert np.abs(method(damaged, hole)[hole].astype(int) - 100).max() <= 3, name


def test_rows_name_source_width_and_method_and_a_perfect_ground_is_filled_perfectly(tmp_path: Path) -> None:
    portraits, prints = tmp_path / "portraits", tmp_path / "prints"
    prints.mkdir()
    for folder in ("congress", "ffhq256", "omi"):
        (portraits / folder).mkdir(parents=True)
        for number in range(5):
            cv2.imwrite(str(portraits / folder / f"{number}.png"), np.full((96, 96, 3), 90, np.uint8))
    rows = measure_cracks(portraits, prints, 1, Limits.of(load_params(Path("params.yaml")).ingest))
    assert set(rows["source"]) == {"portraits"}
    assert set(rows["width"]) == set(CRACKS)
    assert set(rows["method"]) == set(methods())
    assert rows["squared error"].max() < 5
    assert rows[rows["method"] == "Telea"]["lpips"].max() < 0.01
