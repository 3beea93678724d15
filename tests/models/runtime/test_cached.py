"""What is first asked for while evaluating serves training all the same."""

import subprocess
import sys

import pytest
import torch

from models.runtime.cached import made_once

EVALUATED_FIRST = """
import torch

from models.identity.encoders import training_encoder
from models.evidence.identity_condition import template_points
from models.metrics.lpips import perceptual_distance

with torch.inference_mode():
    encoder, metric = training_encoder("sface"), perceptual_distance()

picture = torch.zeros(1, 3, 64, 64, requires_grad=True)
encoder.embed(picture, template_points(picture))[0, 0].backward()
metric(picture, torch.ones(1, 3, 64, 64)).sum().backward()
assert picture.grad.abs().max() > 0
"""


def test_it_is_made_once_and_outside_inference_mode() -> None:
    asked: list[int] = []

    @made_once
    def line(size: int) -> torch.Tensor:
        asked.append(size)
        return torch.ones(size)

    with torch.inference_mode():
        first = line(3)
    assert not first.is_inference()
    assert line(3) is first
    assert line(4).shape == (4,)
    assert asked == [3, 4]


@pytest.mark.slow
def test_judges_that_evaluated_first_give_gradients() -> None:
    done = subprocess.run([sys.executable, "-c", EVALUATED_FIRST], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
