"""A network that is never trained, whatever module contains it."""

from typing import Self

from torch import Tensor, nn


class Frozen(nn.Module):
    """Holds a network in evaluation mode, without gradients to its weights; gradients reach its inputs.

    A trainer calls `train()` on everything below its module: that would switch on the dropout inside LPIPS and the
    batch statistics inside an encoder. Here it changes nothing.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.requires_grad_(requires_grad=False)
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """Run the network."""
        output: Tensor = self.network(*inputs)
        return output

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002 - nn.Module's signature
        """Stay in evaluation mode."""
        return super().train(mode=False)
