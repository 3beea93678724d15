"""A denoiser that begins as a refiner: what it answers to pure noise is the refiner's restoration."""

import torch

from models.diffusion.denoiser import Denoiser
from models.errors import WeightsError
from models.gan.generator import Generator


def begin_as(denoiser: Denoiser, generator: Generator) -> None:
    """Copy a generator's weights into a denoiser, which does not yet look at what it has beyond the generator's inputs.

    Raises:
        WeightsError: the networks differ in width or depth.
    """
    own = denoiser.state_dict()
    for name, value in generator.state_dict().items():
        if name not in own or own[name].shape[:1] != value.shape[:1] or own[name].shape[2:] != value.shape[2:]:
            shapes = tuple(value.shape), tuple(own[name].shape) if name in own else "none"
            raise WeightsError(f"{name} of shape {shapes[0]}", str(shapes[1]), "give both the same width and depth")
        grown = torch.zeros_like(own[name])
        if value.dim() > 1:
            grown[:, : value.shape[1]] = value
        else:
            grown.copy_(value)
        own[name] = grown
    denoiser.load_state_dict(own)
