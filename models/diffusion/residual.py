"""The residual that is diffused: target - start, where something is missing."""

import torch
from torch import Tensor

from models.colour import luma
from models.evidence.evidence import Damaged, Evidence


def missing_part(values: Tensor, damaged: Damaged) -> Tensor:
    """Select the missing values (N, 3, H, W): all in the hole, colour alone where luma is known, else 0."""
    colour = values - luma(values)
    inside = torch.where(damaged.hole_mask > 0.5, values, colour)
    return torch.where(damaged.chroma_mask > 0.5, inside, torch.zeros_like(values))


def residual(target: Tensor, evidence: Evidence) -> Tensor:
    """Compute what the start lacks, (N, 3, H, W) in the range of pictures; 0 where nothing is missing."""
    return missing_part(target - evidence.start, evidence.damaged)
