"""What judges see: a blur that is SciPy's, and windows that are the same for both pictures of a pair."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from models.face_networks.names import SFACE
from models.identity.encoders import training_encoder
from models.metrics.lpips import perceptual_distance
from models.objective import Judges
from scripts.assets.refiner.objective import blurred, compared, moved
from tests.scripts.assets.refiner.evidence import made_up


@pytest.mark.parametrize("deviation", [0.3, 1.0, 1.7])
def test_pictures_are_blurred_as_by_scipy(deviation: float) -> None:
    pictures = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    reach = int(np.ceil(3 * deviation))
    expected = gaussian_filter(
        pictures.numpy(), (0, 0, deviation, deviation), mode="nearest", radius=(0, 0, reach, reach)
    )
    np.testing.assert_allclose(blurred(pictures, deviation).numpy(), expected, atol=1e-12)
    assert blurred(pictures, 0.0) is pictures


def test_both_pictures_of_a_pair_are_seen_through_the_same_window_and_each_pair_through_its_own() -> None:
    side, pairs = 64, 200
    across, down = (torch.linspace(-1, 1, side).view(shape).expand(1, 1, side, side) for shape in ((1, -1), (-1, 1)))
    places = torch.cat([across, down], dim=1).expand(pairs, 2, side, side)
    one, other = moved(places, 2 * places, torch.Generator().manual_seed(1))
    assert torch.allclose(other, 2 * one, atol=1e-6)
    widths = one[:, 0, 0, -1] - one[:, 0, 0, 0]
    assert torch.allclose(widths, one[:, 1, -1, 0] - one[:, 1, 0, 0], atol=0.005)
    assert 2 * 0.69 <= widths.min() < 2 * 0.72 < 2 * 0.95 < widths.max() <= 2.001
    centres = one[:, 0, 0, [0, -1]].mean(dim=1)
    assert (centres.abs() <= 1 - widths / 2 + 0.01).all()
    assert centres.unique().numel() == pairs


def test_identity_is_compared_after_a_blur_that_is_drawn() -> None:
    judges = Judges(perceptual_distance("alex"), training_encoder(SFACE))
    batch = made_up(2)
    # a pattern of single pixels, which a blur takes off
    side = torch.arange(batch[1].image.shape[-1])
    pattern = 0.3 * (-1.0) ** (side[:, None] + side[None])
    restored = (batch[1].image + pattern).clamp(-1, 1)
    sharp, soft = (
        float(compared(restored, batch, judges, 2, torch.Generator().manual_seed(5), softest)["identity"])
        for softest in (0.0, 4.0)
    )
    assert 0 <= soft < 0.5 * sharp
