"""Scores that can be worked out by hand."""

from typing import cast

import numpy as np
import pytest
import torch

from models.errors import DataError
from models.evidence.evidence import Damaged
from pipeline.evaluation.scoring import Role, Targets, known_pixels_changed, recognise, recognition_threshold
from pipeline.evaluation.test_set import Case


def unit(*degrees: float) -> torch.Tensor:
    """Unit vectors in the plane."""
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def cosine(degrees: float) -> float:
    return float(np.cos(np.deg2rad(degrees)))


def test_threshold_is_the_quantile_of_impostors_only() -> None:
    # Impostor pairs: 0-40 (40), 5-40 (35), 0-100 (100), 5-100 (95), 40-100 (60); the pair 0-5 is one person.
    embeddings, names = unit(0, 5, 40, 100), ["ann", "ann", "bob", "cem"]
    assert recognition_threshold(embeddings, names, 0.0) == pytest.approx(cosine(35), abs=1e-6)
    assert recognition_threshold(embeddings, names, 0.5) == pytest.approx(cosine(60), abs=1e-6)
    assert recognition_threshold(embeddings, names, 0.3) == pytest.approx(cosine(40), abs=1e-6)  # rounded upwards


def test_threshold_keeps_the_false_match_rate() -> None:
    rng = np.random.default_rng(2)
    vectors = torch.from_numpy(rng.normal(size=(120, 16))).float()
    embeddings = torch.nn.functional.normalize(vectors, dim=1)
    threshold = recognition_threshold(embeddings, [str(i) for i in range(120)], 0.05)
    similarities = (embeddings @ embeddings.T)[tuple(torch.triu_indices(120, 120, 1))]
    assert (similarities > threshold).float().mean() <= 0.05
    assert (similarities >= threshold).float().mean() >= 0.05


def test_thousands_of_portraits_stay_cheap() -> None:
    embeddings = torch.nn.functional.normalize(torch.randn(9000, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    # In four dimensions the angle between strangers is below t with probability (t - sin t cos t) / pi: 0.01 at 0.363.
    expected = np.cos(0.363)
    assert recognition_threshold(embeddings, [str(i) for i in range(9000)], 0.01) == pytest.approx(expected, abs=0.005)


def test_one_identity_has_no_impostors() -> None:
    with pytest.raises(DataError, match="at least two identities in the test split; got"):
        recognition_threshold(unit(0, 5), ["ann", "ann"], 0.01)


def test_every_changed_known_pixel_counts_and_no_missing_one() -> None:
    image = torch.zeros(2, 3, 4, 4)
    hole, chroma = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    hole[:, :, 0, 0] = chroma[:, :, 0, :2] = 1
    damaged = Damaged(image, hole, chroma, torch.zeros(2), torch.zeros(2))
    restored = image.clone()
    restored[0, :, 0, :2] = 0.5  # missing, and missing its colour: both may change
    restored[1, 0, 3, 3] = 1e-7  # one channel, one bit: counts
    restored[1, :, 2, 2] = -1.0
    assert known_pixels_changed(restored, damaged).tolist() == [0, 2]


class _Case:
    def __init__(self, portrait_id: str) -> None:
        self.portrait_id = portrait_id


def test_recognition_compares_with_the_own_portrait() -> None:
    targets = Targets(
        index={"p": 0, "q": 1},
        identities=["ann", "bob"],
        embeddings={"training": unit(0, 90), "independent": unit(0, 90)},
        thresholds={"training": cosine(20), "independent": cosine(5)},
    )
    cases = cast("list[Case]", [_Case("q"), _Case("p"), _Case("p")])
    found: dict[Role, torch.Tensor] = {"training": unit(80, 30, 0), "independent": unit(80, 30, 0)}
    columns = recognise(found, cases, targets)
    assert columns["identity_similarity_training"] == pytest.approx([cosine(10), cosine(30), 1.0], abs=1e-6)
    assert columns["identity_distance_independent"] == pytest.approx([1 - cosine(10), 1 - cosine(30), 0.0], abs=1e-6)
    assert columns["recognised_training"].tolist() == [True, False, True]
    assert columns["recognised_independent"].tolist() == [False, False, True]
