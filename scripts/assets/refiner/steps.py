"""Optimisers of the U-Nets: Muon for the kernels of its blocks, Adam for the rest."""

import torch

from models.unet.blocks import ResidualBlock
from models.unet.unet import UNet
from scripts.assets.orthogonal_steps import OrthogonalSteps

Optimisers = tuple[OrthogonalSteps, torch.optim.Adam]


def optimisers_of(network: UNet, kernel_rate: float, other_rate: float) -> Optimisers:
    """Share out the parameters: kernels of blocks by orthogonal steps, everything else by Adam."""
    blocks = [block for block in network.modules() if isinstance(block, ResidualBlock)]
    kernels = [layer.weight for block in blocks for layer in (block.conv1, block.conv2)]
    taken = {id(kernel) for kernel in kernels}
    others = [parameter for parameter in network.parameters() if id(parameter) not in taken]
    return OrthogonalSteps(kernels, kernel_rate), torch.optim.Adam(others, other_rate, betas=(0.9, 0.99))
