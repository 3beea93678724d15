"""A frozen network stays as it is inside anything that trains."""

import torch
from torch import nn

from models.runtime.frozen import Frozen


def test_train_changes_nothing() -> None:
    parent = nn.Sequential(nn.Dropout(0.5), Frozen(nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5))))
    parent.train()
    assert parent[0].training
    assert not any(module.training for module in parent[1].modules())


def test_gradients_reach_the_input_but_no_weight() -> None:
    frozen = Frozen(nn.Linear(3, 1))
    inputs = torch.ones(1, 3, requires_grad=True)
    frozen(inputs).sum().backward()
    assert inputs.grad is not None
    torch.testing.assert_close(inputs.grad, frozen.network.weight)
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in frozen.parameters())
