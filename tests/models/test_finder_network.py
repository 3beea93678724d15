import math

import pytest
import torch

from models.finder_network import STRIDE, FinderNetwork, grain


def test_any_size_that_is_a_multiple_of_the_stride_gives_one_logit_per_pixel() -> None:
    network = FinderNetwork(4).eval()
    for height, width in ((STRIDE, STRIDE), (48, 112)):
        assert network(torch.zeros(2, 3, height, width)).shape == (2, 1, height, width)


def test_grain_of_a_flat_picture_is_the_floor_up_to_its_border() -> None:
    flat = grain(torch.full((1, 3, 12, 10), 0.3))
    assert flat.shape == (1, 2, 12, 10)
    assert torch.allclose(flat, torch.tensor(math.log10(0.002) + 1.2), atol=0.1)  # float32 leaves a little


def test_grain_by_hand() -> None:
    picture = torch.zeros(1, 3, 9, 9)
    picture[..., 4, 4] = 0.9  # grey, so its luma is 0.9 as well
    deviation = {window: math.sqrt(0.81 / window**2 - (0.9 / window**2) ** 2) for window in (3, 9)}
    seen = grain(picture)[0, :, 4, 4]
    assert seen[0] == pytest.approx(math.log10(deviation[3] + 0.002) + 1.2, abs=1e-4)
    assert seen[1] == pytest.approx(math.log10(deviation[9] + 0.002) + 1.2, abs=1e-4)
    assert grain(picture)[0, 0, 0, 0] == pytest.approx(math.log10(0.002) + 1.2, abs=1e-4)


def test_the_size_that_ships_has_a_quarter_million_weights() -> None:
    assert 200_000 < sum(weight.numel() for weight in FinderNetwork(12).parameters()) < 500_000
