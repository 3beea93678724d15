"""The denoiser: diffusers' U-Net over folded pixels, conditioned on the evidence, and its noise schedule.

What is diffused stands in `residual.py`, and it is diffused only where something is missing: known pixels carry neither
residual nor noise, in training and at each step of sampling (Saharia et al., Palette, 2022, sec. 3). The picture is
folded into channels (`pixel_unshuffle`), because CPU cores pay for pixels.

v-prediction: Salimans and Ho (2022). A schedule that ends in pure noise, with its last step visited: Lin et al. (2024).
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.diffusion.residual import coloured, missing_part, scale
from models.diffusion.settings import LEVELS, DiffusionShape, Prediction
from models.evidence.evidence import CHANNELS, CONDITIONS, Evidence
from models.evidence.identity_condition import HINTS
from models.runtime.torchvision_ops import ensure_torchvision_ops

ensure_torchvision_ops()

from diffusers import DDIMScheduler, UNet2DModel  # noqa: E402 - it imports torchvision, which needs its operators

_EMBEDDING = 128
_GROUPS = 8
_HEADS = 4
_SQUEEZED = 64
"""Channels that the folded evidence, which repeats itself, is pressed into: the U-Net's first layer is dear."""


class Denoiser(nn.Module):
    """Noisy residual, its noise level and the evidence -> velocity or clean residual."""

    def __init__(self, shape: DiffusionShape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Sequential(
            nn.Linear(CONDITIONS + HINTS, _EMBEDDING), nn.SiLU(), nn.Linear(_EMBEDDING, _EMBEDDING)
        )
        self.squeeze = nn.Conv2d(CHANNELS * shape.fold**2, _SQUEEZED, 1)
        self.unet = UNet2DModel(
            in_channels=3 * shape.fold**2 + _SQUEEZED,
            out_channels=3 * shape.fold**2,
            block_out_channels=shape.channels,
            down_block_types=("DownBlock2D",) * len(shape.channels),
            up_block_types=("UpBlock2D",) * len(shape.channels),
            layers_per_block=1,
            norm_num_groups=_GROUPS,
            attention_head_dim=shape.channels[-1] // _HEADS,  # of the one attention, at the coarsest level
            time_embedding_dim=_EMBEDDING,
            class_embed_type="identity",
        )
        for layer in (self.embed[-1], self.unet.conv_out):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, noisy: Tensor, levels: Tensor, inputs: Tensor, condition: Tensor) -> Tensor:
        """Predict for a batch; an untrained denoiser returns zeros.

        Args:
            noisy: (N, 3, H, W) residual with noise.
            levels: (N,) int64 noise levels, [0, LEVELS).
            inputs: (N, CHANNELS, H, W), `Evidence.stacked`.
            condition: (N, CONDITIONS + HINTS), `conditioning`.

        Returns:
            (N, 3, H, W), in units of `residual.scale`; of use only where something is missing.
        """
        folded, pictures = (F.pixel_unshuffle(tensor, self.shape.fold) for tensor in (noisy, inputs))
        x = torch.cat([folded, self.squeeze(pictures)], dim=1)
        output = self.unet(x, levels, self.embed(condition), return_dict=False)[0]
        return F.pixel_shuffle(output, self.shape.fold)


def conditioning(evidence: Evidence) -> tuple[Tensor, Tensor]:
    """Build a denoiser's inputs beside the noise: pictures (N, CHANNELS, H, W), numbers (N, CONDITIONS + HINTS)."""
    return evidence.stacked(), torch.cat([evidence.damaged.condition(), evidence.hint], dim=1)


def noise_schedule(prediction: Prediction) -> DDIMScheduler:
    """Build DDIM (Song et al., 2021) on a cosine schedule (Nichol and Dhariwal, 2021) that ends at zero signal."""
    return DDIMScheduler(
        num_train_timesteps=LEVELS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type=prediction,
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
    )


def visited_levels(steps: int) -> Tensor:
    """List the noise levels (steps,) that a sampler visits, from pure noise down; `steps` divides LEVELS."""
    schedule = noise_schedule("v_prediction")
    schedule.set_timesteps(steps)
    return cast(Tensor, schedule.timesteps)


@torch.inference_mode()
def sample(denoiser: Denoiser, evidence: Evidence, white: Tensor, steps: int) -> Tensor:
    """Draw one restoration of each picture, from pure noise to none.

    Args:
        denoiser: in evaluation mode.
        evidence: the batch.
        white: (N or 1, 3, H, W) standard normal.
        steps: noise levels visited; divides LEVELS.

    Returns:
        (N, 3, H, W) proposal, about [-1, 1]; `evidence.start` where nothing is missing.
    """
    schedule = noise_schedule(denoiser.shape.prediction)
    schedule.set_timesteps(steps)
    inputs, condition = conditioning(evidence)
    noise = coloured(white, denoiser.shape.spread)
    noisy = missing_part(noise.expand_as(evidence.start), evidence.damaged)
    for level in cast(Sequence[Tensor], schedule.timesteps):
        output = denoiser(noisy, level.expand(len(noisy)), inputs, condition)
        cleaner = schedule.step(output, int(level), noisy, return_dict=False)[0]
        noisy = missing_part(cleaner, evidence.damaged)  # known pixels: neither residual nor noise
    return evidence.start + scale(evidence.damaged, denoiser.shape.spread) * noisy
