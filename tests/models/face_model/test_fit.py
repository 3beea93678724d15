"""Fitting further gives what fitting to everybody at once gives."""

import numpy as np
import pytest
import torch

from models.assets import RESEARCH
from models.face_model.fit import BentFaces, fit, fit_bent
from tests.models.face_model.test_gaussian import SIDE, pictures

MANY = 200


def faces(count: int, seed: int) -> BentFaces:
    """Small pictures with scattered landmarks, as if they had been bent."""
    rng = np.random.default_rng(seed)
    frame = rng.uniform(2, SIDE - 2, (68, 2)).astype(np.float32)
    return BentFaces(pictures(count, seed), frame + rng.normal(0, 1, (count, 68, 2)) + seed, frame, RESEARCH)


def both(first: BentFaces, second: BentFaces) -> BentFaces:
    points = np.concatenate([first.points, second.points])
    return BentFaces(torch.cat([first.pictures, second.pictures]), points, first.frame, RESEARCH)


def covariance(tensors: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    return tensors[name].T @ tensors[name]


def test_fitted_further_it_is_the_model_of_all_faces() -> None:
    first, second = faces(7, 1), faces(4, 2)
    rng = torch.Generator().manual_seed(0)
    further = fit_bent(second, MANY, rng, fit_bent(first, MANY, rng))
    together = fit_bent(both(first, second), MANY, rng)
    assert float(further["faces"]) == 11
    for name in ("mean", "shape_mean", "shape_covariance"):
        torch.testing.assert_close(further[name], together[name], rtol=1e-4, atol=1e-4)
    for name in ("even", "odd"):
        torch.testing.assert_close(covariance(further, name), covariance(together, name), rtol=1e-3, atol=1e-4)
    assert torch.equal(further["frame"], torch.from_numpy(second.frame))


@pytest.mark.parametrize("weight", [0.25, 4.0])
def test_the_prior_counts_by_its_weight(weight: float) -> None:
    first, second = faces(8, 1), faces(4, 2)
    rng = torch.Generator().manual_seed(0)
    before, alone = fit_bent(first, MANY, rng), fit_bent(second, MANY, rng)
    further = fit_bent(second, MANY, rng, before, weight)
    share = weight * 8 / (weight * 8 + 4)
    assert float(further["faces"]) == weight * 8 + 4
    torch.testing.assert_close(further["mean"], torch.lerp(alone["mean"], before["mean"], share), rtol=1e-4, atol=1e-5)
    expected = share * before["shape_mean"] + (1 - share) * alone["shape_mean"]
    torch.testing.assert_close(further["shape_mean"], expected)


def test_what_the_prior_lacks_is_learnt() -> None:
    """A bright square that no earlier face has is within the span of the components afterwards, not before."""
    first, second = faces(8, 1), faces(6, 2)
    marked = second.pictures.clone()
    marked[::2, :, 4:8, 6:10] += 1.0
    rng = torch.Generator().manual_seed(0)
    before = fit_bent(first, MANY, rng)
    after = fit_bent(BentFaces(marked, second.points, second.frame, RESEARCH), MANY, rng, before)
    direction = torch.zeros_like(before["mean"])
    direction[: SIDE**2 // 2].view(SIDE, SIDE // 2)[4:8, 6:8] = 1.0
    shares = [
        float(torch.linalg.lstsq(model["even"].T, direction[:, None]).solution.T @ model["even"] @ direction)
        / float(direction @ direction)
        for model in (before, after)
    ]
    assert shares[0] < 0.6
    assert shares[1] > 0.85


def test_one_more_face_is_enough() -> None:
    first = faces(6, 1)
    rng = torch.Generator().manual_seed(0)
    before = fit_bent(first, MANY, rng)
    further = fit_bent(faces(1, 3), MANY, rng, before)
    assert float(further["faces"]) == 7
    assert torch.isfinite(further["even"]).all()
    assert (further["noise"] > 0).all()


def test_no_more_components_are_kept_than_asked() -> None:
    first = fit(pictures(10, 1), 6)
    further = fit(pictures(10, 2), 6, first, 10.0)
    assert len(further["even"]) + len(further["odd"]) == 6
