"""The blur before identities are compared, against SciPy's."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from models.face_networks.names import SFACE
from models.identity.encoders import training_encoder
from models.metrics.lpips import perceptual_distance
from models.objective import Judges
from scripts.assets.refiner.objective import blurred, compared
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


def test_identity_is_compared_after_a_blur_that_is_drawn() -> None:
    judges = Judges(perceptual_distance("alex"), training_encoder(SFACE))
    batch = made_up(2)
    # a pattern of single pixels, which a blur takes off
    side = torch.arange(batch[1].image.shape[-1])
    pattern = 0.3 * (-1.0) ** (side[:, None] + side[None])
    restored = (batch[1].image + pattern).clamp(-1, 1)
    sharp, soft = (
        float(compared(restored, batch, judges, 2, torch.Generator().manual_seed(3), softest)["identity"])
        for softest in (0.0, 4.0)
    )
    assert 0 <= soft < 0.5 * sharp
