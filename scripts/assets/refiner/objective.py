"""What the refiner is asked for: close to the target, alike to the eye, the same person, and not to be told from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models import losses
from models.evidence.evidence import compose
from models.gan.discriminator import Discriminator, generated_patch_mask
from models.gan.generator import Generator
from models.gan.losses import discriminator_adversarial, feature_matching, generator_adversarial, r1_penalty
from models.objective import Batch, Judges, Terms

HAS_BFLOAT16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()
_LEAST_WINDOW = 0.7
"""Smallest side of the window that LPIPS sees, of the picture's."""
_JITTER = 1.5
"""Pixels of 128 by which the identity term's crops move at random (models/objective.py)."""


@dataclass(frozen=True)
class Weights:
    """Weight of each term."""

    pixel: float
    colour: float
    lpips: float
    identity: float
    adversarial: float
    matching: float


def restored_by(generator: Generator, batch: Batch) -> Tensor:
    """Restore a batch in bfloat16 where the processor has it: (N, 3, S, S), known pixels to the bit."""
    evidence, _ = batch
    inputs = evidence.stacked().contiguous(memory_format=torch.channels_last)
    with half():
        proposal = generator.propose(inputs, evidence.damaged.condition(), evidence.hint)
    return compose(evidence.damaged, proposal.float())


def half() -> torch.autocast:
    """Compute in bfloat16 where the processor has it: half the time."""
    return torch.autocast("cpu", torch.bfloat16, enabled=HAS_BFLOAT16)


def compared(
    restored: Tensor, batch: Batch, judges: Judges, identities: int, rng: torch.Generator, softest: float = 0.0
) -> Terms:
    """Compute the terms that compare with the target, unweighted.

    Args:
        restored: (N, 3, S, S) in [-1, 1].
        batch: the evidence and its target.
        judges: LPIPS and the training encoder.
        identities: of how many pictures of the batch the identity is compared; 0 leaves the term out.
        rng: of what the judges see.
        softest: largest standard deviation, in pixels, of the blur before identities are compared; 0: every judge sees
            the pictures as they are. A network that always sees every pixel of its judge draws patterns that no person
            would recognise anybody by, so LPIPS, whose first layer looks at every fourth pixel, sees them moved.
    """
    evidence, target = batch
    missing = evidence.damaged.chroma_mask
    terms = {
        "pixel": losses.pixel_missing(restored, target.image, missing),
        "colour": losses.colour(restored, target.image, missing),
    }
    looked_at = moved(restored, target.image, rng) if softest else (restored, target.image)
    with half():
        terms["lpips"] = judges.perceptual(*looked_at).float().mean()
    if identities:
        terms["identity"] = _identity(restored[:identities], batch, judges, rng, softest)
    return terms


def adversarial_terms(discriminator: Discriminator, restored: Tensor, batch: Batch) -> Terms:
    """Compute the generator's adversarial terms; the discriminator learns nothing from them."""
    evidence, target = batch
    missing = evidence.damaged.chroma_mask
    with half():
        fake = discriminator.features(restored, missing)
        with torch.no_grad():
            real = discriminator.features(target.image, missing)
        adversarial = generator_adversarial(fake[-1].float(), generated_patch_mask(missing))
        matching = feature_matching(fake[:-1], real[:-1]).float()
    return {"adversarial": adversarial, "matching": matching}


def discriminator_terms(discriminator: Discriminator, restored: Tensor, batch: Batch, penalised: bool) -> Terms:
    """Compute the discriminator's own terms: `discriminator`, and `r1` where it is asked for."""
    evidence, target = batch
    missing = evidence.damaged.chroma_mask
    real = target.image.clone().requires_grad_(penalised)
    with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BFLOAT16 and not penalised):  # a gradient of a gradient
        real_logits, fake_logits = discriminator(real, missing), discriminator(restored.detach(), missing)
    logits = real_logits.float(), fake_logits.float()
    terms = {"discriminator": discriminator_adversarial(*logits, generated_patch_mask(missing))}
    return terms | ({"r1": r1_penalty(logits[0], real)} if penalised else {})


def weighted(terms: Mapping[str, Tensor], weights: Weights) -> Tensor:
    """Add up the terms that are there, weighted; a scalar."""
    return torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()


def moved(first: Tensor, second: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut the same window, of 0.7 to all of the side and anywhere, out of each picture of two batches, and enlarge it.

    As E-LPIPS does (Kettunen et al. 2019), of whose transformations these are the two that move a pattern on the grid
    of the judge's first layer.
    """
    count = len(first)
    share = _LEAST_WINDOW + (1 - _LEAST_WINDOW) * torch.rand(count, generator=rng)
    centre = (1 - share)[:, None] * (2 * torch.rand(count, 2, generator=rng) - 1)
    windows = torch.cat([share[:, None, None] * torch.eye(2), centre[:, :, None]], dim=2)
    grid = F.affine_grid(windows, list(first.shape), align_corners=False)
    one, other = (F.grid_sample(each, grid, padding_mode="border", align_corners=False) for each in (first, second))
    return one, other


def blurred(pictures: Tensor, deviation: float) -> Tensor:
    """Blur pictures (N, C, H, W) by a Gaussian of this standard deviation in pixels; beyond the edge they go on."""
    reach = math.ceil(3 * deviation)
    if reach == 0:
        return pictures
    offsets = torch.arange(-reach, reach + 1, dtype=pictures.dtype)
    weights = torch.exp(-offsets.square() / (2 * deviation**2))
    channels = pictures.shape[1]
    column = (weights / weights.sum()).view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    wide = F.pad(pictures, (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(wide, column, groups=channels), column.transpose(2, 3), groups=channels)


def _identity(restored: Tensor, batch: Batch, judges: Judges, rng: torch.Generator, softest: float) -> Tensor:
    count = len(restored)
    points = batch[1].points[:count] + _JITTER * torch.randn(count, 1, 2, generator=rng)
    deviation = softest * float(torch.rand((), generator=rng)) if softest else 0.0
    intact, soft = (blurred(pictures, deviation) for pictures in (batch[1].image[:count], restored))
    with half():
        with torch.no_grad():
            own = judges.encoder.embed(intact, points)
        made = judges.encoder.embed(soft, points)
    return losses.identity(made.float(), own.float())
