"""ID-FID where the distance is known."""

import numpy as np
import pytest
import torch

from pipeline.evaluation.id_fid import id_fids, split_half, with_id_fid
from pipeline.evaluation.results import Figure
from pipeline.evaluation.scoring import Role, Targets


def targets(embeddings: torch.Tensor) -> Targets:
    names = [f"p{i}" for i in range(len(embeddings))]
    both: dict[Role, torch.Tensor] = {"training": embeddings, "independent": embeddings}
    return Targets({name: i for i, name in enumerate(names)}, names, both, {"training": 0.5, "independent": 0.5})


def test_a_shift_counts_by_its_square() -> None:
    intact = torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
    moved = intact + torch.tensor([0.3, 0.0, 0.4, 0.0])  # the same covariance, the mean 0.5 away
    found = id_fids({"same": intact, "moved": moved}, targets(intact), seed=2)
    assert found["same"] == pytest.approx(0.0, abs=1e-4)
    assert found["moved"] == pytest.approx(0.25, abs=1e-4)
    assert set(found) == {"same", "moved", "split_half"}


def test_halves_share_no_identity() -> None:
    # Two people, each always the same vector: every split has one of them on each side, at distance 1.
    embeddings = np.array([[0.0, 0.0]] * 3 + [[0.6, 0.8]] * 3, np.float32)
    assert split_half(embeddings, ["ann"] * 3 + ["bob"] * 3, seed=0) == pytest.approx(1.0, abs=1e-5)


def test_too_few_pictures_have_no_floor() -> None:
    assert split_half(np.eye(2, dtype=np.float32), ["ann", "bob"], seed=0) is None


def test_it_joins_the_table_without_interval() -> None:
    tables = {"telea": {"all": {"lpips": Figure(value=0.1, low=0.1, high=0.1, n=9)}, "0.0-0.1": {}}}
    joined = with_id_fid(tables, {"telea": 0.02})
    assert joined["telea"]["all"]["id_fid"] == Figure(value=0.02, low=None, high=None, n=9)
    assert "id_fid" not in tables["telea"]["all"]
    assert joined["telea"]["0.0-0.1"] == {}
