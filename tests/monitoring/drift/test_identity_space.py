"""Embeddings go in, sums come out: exact, together only, and the same wherever they are added up."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError
from monitoring.drift.identity_space import (
    IdentityAggregate,
    IdentityWindow,
    aggregate,
    merge_aggregates,
    project,
    projection_directions,
    space_name,
)
from pipeline.config.load import load_params
from pipeline.config.watch import IdentitySpaceParams
from tests.conftest import ROOT

PARAMS = load_params(ROOT / "params.yaml").watch.identity
ENCODER = "sface"


def space(**changes: int) -> IdentitySpaceParams:
    return PARAMS.model_copy(update=changes)


def test_directions_are_orthonormal_and_fixed() -> None:
    axes = projection_directions(128, 8, 53)
    assert axes.T @ axes == pytest.approx(np.eye(8), abs=1e-12)
    assert np.array_equal(projection_directions.__wrapped__(128, 8, 53), axes)
    assert projection_directions(128, 16, 53)[:, :8] == pytest.approx(axes)  # fewer are the first of more
    assert not np.allclose(projection_directions(128, 8, 54), axes)


@given(
    sizes=st.lists(st.integers(2, 40), min_size=1, max_size=5),
    seed=st.integers(0, 2**16),
    scale=st.sampled_from([1e-3, 1.0]),
)
def test_merging_is_exact(sizes: list[int], seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.normal(rng.normal(0, 1, 3), scale, (n, 3)) for n in sizes]
    whole = merge_aggregates(aggregate(part, "s", "1") for part in parts)
    points = np.concatenate(parts)
    assert whole is not None
    assert whole.n == len(points)
    assert whole.mean == pytest.approx(points.mean(0), abs=1e-12)
    assert np.array(whole.covariance) == pytest.approx(np.cov(points.T), rel=1e-9, abs=1e-11)


def test_nothing_merged_is_nothing() -> None:
    assert merge_aggregates([]) is None


def test_spaces_do_not_mix() -> None:
    points = np.eye(3)
    with pytest.raises(DataError, match="compare within one space"):
        merge_aggregates([aggregate(points, "sface/3/1", "1"), aggregate(points, "sface/3/2", "1")])


def test_a_covariance_must_fit_its_mean() -> None:
    with pytest.raises(ValueError, match="covariance must be square"):
        IdentityAggregate(space="s", model_version="1", n=3, mean=(0.0, 0.0), covariance=((1.0,),))


def embeddings(n: int, seed: int = 0) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(n, 128, generator=torch.Generator().manual_seed(seed)))


def test_too_few_faces_are_never_given_out() -> None:
    window = IdentityWindow(space(min_faces=10), "7", ENCODER)
    faces = embeddings(10)
    for face in faces[:9]:
        window.add(ENCODER, face[None])
        window.add("dlib", face[None])  # the other encoder's do not count
        assert window.flush_if_ready() is None
    window.add(ENCODER, faces[9:])
    ready = window.flush_if_ready()
    assert ready is not None
    assert (ready.n, ready.model_version, ready.space) == (10, "7", space_name(PARAMS, ENCODER))
    points = project(faces.numpy(), PARAMS)
    assert ready.mean == pytest.approx(points.mean(0))
    assert np.array(ready.covariance) == pytest.approx(np.cov(points.T))
    assert window.flush_if_ready() is None  # and each only once


def test_faces_that_could_not_be_logged_count_again() -> None:
    window, faces = IdentityWindow(space(min_faces=10), "1", ENCODER), embeddings(25)
    for face in faces[:12]:
        window.add(ENCODER, face[None])
    ready = window.flush_if_ready()
    assert ready is not None
    window.add(ENCODER, faces[12:13])
    window.put_back(ready)
    for face in faces[13:]:
        window.add(ENCODER, face[None])
    again = window.flush_if_ready()
    assert again is not None
    points = project(faces.numpy(), PARAMS)
    assert again.n == 25
    assert again.mean == pytest.approx(points.mean(0))
    assert np.array(again.covariance) == pytest.approx(np.cov(points.T))


def test_many_threads_lose_no_face() -> None:
    window, faces = IdentityWindow(space(min_faces=10), "1", ENCODER), embeddings(400)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda face: window.add(ENCODER, face[None]), faces))
    ready = window.flush_if_ready()
    assert ready is not None
    assert ready.n == 400
    assert ready.mean == pytest.approx(project(faces.numpy(), PARAMS).mean(0))


def test_the_window_holds_no_embedding() -> None:
    """No array in it has a row per face."""
    window = IdentityWindow(PARAMS, "1", ENCODER)
    for face in embeddings(25):
        window.add(ENCODER, face[None])
    held = [value for value in vars(window._sums).values() if isinstance(value, np.ndarray)]
    assert sorted(value.shape for value in held) == [(PARAMS.dimensions,), (PARAMS.dimensions, PARAMS.dimensions)]
