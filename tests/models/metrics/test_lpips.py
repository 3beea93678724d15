"""LPIPS against the paper's formula written out, and what its pickle may hold."""

import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import skimage.data
import torch
from torch import Tensor
from torch.nn import functional as F

from models.errors import WeightsError
from models.images import to_tensor
from models.metrics.lpips import perceptual_distance, read_arrays
from models.package_files import package_file
from models.runtime.torchvision_ops import ensure_torchvision_ops


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    picture = to_tensor(skimage.data.astronaut()[::4, ::4].copy())
    return picture, F.avg_pool2d(picture, 5, 1, 2)


def features(picture: Tensor, arrays: dict[str, Any]) -> Iterator[Tensor]:
    """AlexNet's five activations (Krizhevsky 2014), from the arrays as stored, by functional calls only."""
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    x = (picture - shift.view(3, 1, 1)) / scale.view(3, 1, 1)
    for index, (stride, padding) in enumerate([(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)]):
        layer = arrays[f"Conv_{index}"]
        kernel = torch.from_numpy(layer["kernel"]).permute(3, 2, 0, 1)
        x = F.relu(F.conv2d(x, kernel, torch.from_numpy(layer["bias"]), stride, padding))
        yield x
        if index < 2:
            x = F.max_pool2d(x, 3, 2)


def by_the_paper(a: Tensor, b: Tensor) -> float:
    """Zhang et al. 2018, eq. 1; the heads come from the authors' package, so that both copies are checked."""
    ensure_torchvision_ops()
    import lpips

    arrays = read_arrays(package_file("lpips_alex"))
    heads = torch.load(Path(lpips.__file__).parent / "weights/v0.1/alex.pth", map_location="cpu", weights_only=True)
    total = 0.0
    for index, maps in enumerate(zip(*(features(picture, arrays["AlexNet_0"]) for picture in (a, b)), strict=True)):
        unit = [F.normalize(activation, dim=1) for activation in maps]
        head = heads[f"lin{index}.model.1.weight"].flatten()
        total += ((unit[0] - unit[1]).square() * head.view(1, -1, 1, 1)).sum(1).mean().item()
    return total


def test_it_is_the_papers_formula(pair: tuple[Tensor, Tensor]) -> None:
    distance = perceptual_distance("alex")(*pair)
    assert distance.shape == (1, 1, 1, 1)
    assert distance.item() == pytest.approx(by_the_paper(*pair), rel=1e-4)
    assert distance.item() > 0.1  # a blurred face is plainly another picture


def test_equal_pictures_are_at_zero_and_order_does_not_matter(pair: tuple[Tensor, Tensor]) -> None:
    metric, (a, b) = perceptual_distance("alex"), pair
    assert metric(a, a).item() == 0
    assert metric(a, b).item() == pytest.approx(metric(b, a).item(), rel=1e-6)


def test_training_mode_changes_nothing_and_gradients_flow(pair: tuple[Tensor, Tensor]) -> None:
    metric, (a, b) = perceptual_distance("alex"), pair
    before = metric(a, b).item()
    b = b.clone().requires_grad_()
    distance = metric.train()(a, b)
    distance.sum().backward()
    assert distance.item() == before  # dropout inside the heads would change it
    assert b.grad is not None
    assert torch.isfinite(b.grad).all()
    assert b.grad.abs().sum() > 0


@pytest.mark.slow
def test_vgg_grows_with_the_damage(pair: tuple[Tensor, Tensor]) -> None:
    metric, (a, b) = perceptual_distance("vgg"), pair
    assert 0 == metric(a, a).item() < metric(a, (a + b) / 2).item() < metric(a, b).item()


def test_building_it_leaves_the_global_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    inspect.unwrap(perceptual_distance)("alex")
    assert torch.equal(before, torch.random.get_rng_state())


class Trap:
    """What a hostile pickle would run."""

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (Path("touched"),)


def test_a_pickle_that_names_anything_else_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trap.ckpt").write_bytes(pickle.dumps({"x": Trap()}))
    with pytest.raises(WeightsError, match=r"numpy arrays only; got .*in a pickle"):
        read_arrays(tmp_path / "trap.ckpt")
    assert not (tmp_path / "touched").exists()
