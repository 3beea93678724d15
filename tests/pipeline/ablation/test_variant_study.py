"""Small networks trained by the stage's own parts, on portraits of the sampler."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.generator import Generator
from models.gan.restorer import save_weights
from pipeline.ablation.common import read_split
from pipeline.ablation.variant_study import (
    TrainingBatches,
    damaged_portraits,
    lay_out_small,
    other_photos,
    references_by_variant,
    variant_report,
)
from pipeline.ablation.variants import COMPLETE, NO_PHOTO, variant_params
from pipeline.config.load import load_params
from pipeline.evaluation.scoring import Judges
from pipeline.portraits.read import landmarks_of, load_image, points_of, read_portraits
from pipeline.project.paths import Paths
from pipeline.training.face_models import FaceModels
from tests.conftest import ROOT
from tests.portrait_site import SIDE, lay_out_portraits

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::ResourceWarning"
)  # Lightning's, as in tests/pipeline/test_train.py
SMALL = {
    "ablate.bootstrap": 20,
    "ablate.variants.names": ["identity"],
    "ablate.variants.seeds": [1],
    "ablate.variants.portraits": 2,
    "ablate.variants.image_size": 64,
    "ablate.variants.width": 8,
    "ablate.variants.depth": 2,
    "ablate.variants.steps": 2,
    "ablate.variants.batch_size": 2,
    "train.evidence.self_reference": 1.0,
}
PARAMS = load_params(ROOT / "params.yaml", SMALL)


def test_other_photos_come_in_a_ring(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=10)
    table = read_portraits(paths).sort_values("portrait_id").reset_index(drop=True)
    table["identity"] = ["ann", "ann", "ann", *(f"p{i}" for i in range(7))]
    table["split"] = "test"
    portraits = read_split(paths, table, "test", 10, 1)
    photos = other_photos(paths, table, portraits)
    ids = table["portrait_id"]
    assert set(photos) == set(ids[:3])
    for portrait, other in zip(ids[:3], [ids[1], ids[2], ids[0]], strict=True):
        assert np.array_equal(photos[portrait], load_image(paths, other))


def test_photos_are_given_to_those_that_were_trained_with_them() -> None:
    photo = {"a": np.zeros((2, 2, 3), np.uint8)}
    assert references_by_variant(COMPLETE, photo) == {COMPLETE: photo, NO_PHOTO: {}}
    assert references_by_variant("identity", photo) == {"identity": photo}
    assert references_by_variant("reference", photo) == {"reference": {}}


def test_designs_that_see_the_same_share_their_batches(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=10)
    lessons = TrainingBatches(
        paths, read_portraits(paths), PARAMS.masks, FaceModels.of_stored(StoredFaceModel.load(FACE_MODEL))
    )
    complete, blind, alone = (
        variant_params(PARAMS.train, PARAMS.ablate, name, 1) for name in (COMPLETE, "identity", "reference")
    )
    assert lessons.of(complete)[0] is lessons.of(blind)[0]
    seen, unseen = (next(iter(lessons.of(train)[0]))[0] for train in (complete, alone))
    assert seen.reference_mask.any()
    assert not unseen.reference_mask.any()


def test_damage_covers_kinds_and_buckets(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=10)
    cases = damaged_portraits(read_split(paths, read_portraits(paths), "train", 6, 1), PARAMS.masks, PARAMS.ablate)
    assert len({case.kind for case in cases}) == 6
    assert all(case.target.shape == (64, 64, 3) for case in cases)


@pytest.mark.slow
def test_variants_are_trained_and_compared(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=10)
    save_weights(Generator(8, 2), paths.champion_weights, 64)
    judges = Judges.load(torch.device("cpu"), PARAMS.identity)
    report = variant_report(PARAMS.train, PARAMS.masks, paths, judges, PARAMS.ablate)
    assert set(report) == {COMPLETE, NO_PHOTO, "identity"}
    assert report[COMPLETE].ratios["lpips"].value == 1.0
    assert report["identity"].ratios["lpips"].value not in (None, 1.0)
    assert report["identity"].seconds > 0
    assert not (paths.root / "state").exists()  # nothing of the checkout is touched


def test_pictures_and_points_shrink_together(tmp_path: Path) -> None:
    source, target = lay_out_portraits(tmp_path / "a"), Paths(tmp_path / "b")
    lay_out_small(source, target, SIDE // 2, {})
    large, small = (read_portraits(paths).set_index("portrait_id") for paths in (source, target))
    assert sorted(small.index) == sorted(large.index)
    name = str(small.index[0])
    picture, whole = load_image(target, name), load_image(source, name).astype(float)
    assert picture.shape == (SIDE // 2, SIDE // 2, 3)
    quarters = whole.reshape(SIDE // 2, 2, SIDE // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(picture - quarters).max() <= 1
    # The centre of the picture stays its centre; (0, 0) becomes the middle of the first two pixels.
    for read in (landmarks_of, points_of):
        assert read(small.loc[name]) == pytest.approx((read(large.loc[name]) + 0.5) / 2 - 0.5)


def test_limits_hold_by_split(tmp_path: Path) -> None:
    source, target = lay_out_portraits(tmp_path / "a"), Paths(tmp_path / "b")
    lay_out_small(source, target, SIDE, {"train": 2, "test": 9})
    rows = read_portraits(target)
    assert rows["split"].value_counts().to_dict() == {"train": 2, "validation": 2, "test": 2}
    first = rows.iloc[0]
    assert np.array_equal(load_image(target, first["portrait_id"]), load_image(source, first["portrait_id"]))
