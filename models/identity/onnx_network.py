"""Build a torch network from the ONNX graph of a face encoder, so that gradients reach the pixels.

Encoders use few operators; a general converter takes four seconds to be imported.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from models.errors import WeightsError

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

Given = Mapping[str, Any]
"""Attributes of a node."""


class OnnxNetwork(nn.Module):
    """Runs the nodes of a graph with one input and one output, one after the other."""

    def __init__(self, graph: "GraphProto", remedy: str) -> None:
        """Build the layers.

        Args:
            graph: of an encoder, in any batch size.
            remedy: what to do about an operator that is not known here.

        Raises:
            WeightsError: an operator that is not known here; it says `remedy`.
        """
        super().__init__()
        weights = _constants(graph)
        built = [_build(node, weights, remedy) for node in graph.node if node.op_type != "Constant"]
        self.layers = nn.ModuleList(step.layer for step in built)
        self._inputs, self._outputs = [step.inputs for step in built], [step.output for step in built]
        self._first = next(item.name for item in graph.input if item.name not in weights)
        self._last = graph.output[0].name
        self._spent = _spent_after(self._inputs, self._last)

    def forward(self, pixels: Tensor) -> Tensor:
        """Compute the graph's output; what no later layer needs is dropped at once."""
        values = {self._first: pixels}
        for index, layer in enumerate(self.layers):
            values[self._outputs[index]] = layer(*(values[name] for name in self._inputs[index]))
            for name in self._spent[index]:
                del values[name]
        return values[self._last]


def load_onnx_network(path: Path, remedy: str) -> OnnxNetwork:
    """Read the graph in a file as a torch network.

    Raises:
        WeightsError: an operator that is not known here; it says `remedy`.
    """
    import onnx

    return OnnxNetwork(onnx.load(str(path)).graph, remedy)


class _Step(NamedTuple):
    """A layer, the names of the values that it takes (constants are in it), and of the one that it makes."""

    layer: nn.Module
    inputs: list[str]
    output: str


class _Arithmetic(nn.Module):
    """Combine two values, of which one may be a constant."""

    number: Tensor | None

    def __init__(self, work: Callable[[Tensor, Tensor], Tensor], number: Tensor | None, *, number_first: bool) -> None:
        super().__init__()
        self.register_buffer("number", number)
        self._work, self._number_first = work, number_first

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        second = self.number if other is None else other
        return self._work(second, x) if self._number_first else self._work(x, second)  # type: ignore[arg-type] # one of both is there


class _Means(nn.BatchNorm2d):
    """Batch normalisation with stored statistics, of maps and of vectors."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - the name in torch
        pass


class _Reshape(nn.Module):
    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self._shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self._shape)


_ARITHMETIC: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Div": torch.div,
}
_PLAIN: Mapping[str, Callable[[], nn.Module]] = {
    "Identity": nn.Identity,
    "Dropout": nn.Identity,  # an encoder is never trained
    "Flatten": nn.Flatten,
    "Relu": nn.ReLU,
    "Sigmoid": nn.Sigmoid,
    "GlobalAveragePool": lambda: nn.AdaptiveAvgPool2d(1),
}


def _constants(graph: "GraphProto") -> dict[str, Tensor]:
    from onnx import numpy_helper

    weights = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            weights[node.output[0]] = torch.tensor(numpy_helper.to_array(node.attribute[0].t))
    return weights


def _spent_after(inputs: Sequence[Iterable[str]], last: str) -> list[list[str]]:
    """List, for each layer, the values that no later one takes."""
    final = {name: index for index, names in enumerate(inputs) for name in names}
    spent: list[list[str]] = [[] for _ in inputs]
    for name, index in final.items():
        if name != last:
            spent[index].append(name)
    return spent


def _build(node: "NodeProto", weights: Mapping[str, Tensor], remedy: str) -> _Step:
    from onnx.helper import get_attribute_value

    given = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
    names = [name for name in node.input if name and name not in weights]
    constants = [weights[name] for name in node.input if name in weights]
    layer = _layer(node.op_type, constants, given, number_first=node.input[0] in weights)
    if layer is None:
        known = ", ".join(sorted({*_ARITHMETIC, *_PLAIN, *_WEIGHTED}))
        raise WeightsError(f"a graph of {known}, with usual attributes", f"{node.op_type} {node.name}".strip(), remedy)
    return _Step(layer, names, node.output[0])


def _layer(kind: str, constants: Sequence[Tensor], given: Given, *, number_first: bool) -> nn.Module | None:
    """Build a node's layer; None where the operator, or one of its attributes, is not known here."""
    if kind in _ARITHMETIC:
        return _Arithmetic(_ARITHMETIC[kind], constants[0] if constants else None, number_first=number_first)
    if kind in _PLAIN:
        return _PLAIN[kind]() if given.get("axis", 1) == 1 else None
    if kind == "Reshape":
        shape = constants[0].tolist() if constants else []
        return _Reshape(shape[1:]) if shape[:1] in ([-1], [0], [1]) and 0 not in shape[1:] else None
    if kind not in _WEIGHTED or not constants:
        return None
    with torch.device("meta"):  # nothing is drawn for weights that are there
        layer = _WEIGHTED[kind](constants, given)
    if layer is not None:
        names = ("weight", "bias", "running_mean", "running_var")
        values = [_stored(kind, value, given) for value in constants]
        layer.load_state_dict(dict(zip(names, values, strict=False)), strict=False, assign=True)
    return layer


def _convolution(constants: Sequence[Tensor], given: Given) -> nn.Module | None:
    filters, groups = constants[0], given.get("group", 1)
    pads = tuple(given.get("pads", (0, 0, 0, 0)))
    if filters.ndim != 4 or pads[:2] != pads[2:] or given.get("auto_pad", b"NOTSET") != b"NOTSET":
        return None
    return nn.Conv2d(
        filters.shape[1] * groups,
        len(filters),
        (filters.shape[2], filters.shape[3]),
        tuple(given.get("strides", (1, 1))),
        pads[:2],
        tuple(given.get("dilations", (1, 1))),
        groups,
        bias=len(constants) > 1,
    )


def _batch_normalisation(constants: Sequence[Tensor], given: Given) -> nn.Module | None:
    return _Means(len(constants[0]), given.get("epsilon", 1e-5)) if len(constants) == 4 else None


def _linear(constants: Sequence[Tensor], given: Given) -> nn.Module | None:
    if (given.get("alpha", 1.0), given.get("beta", 1.0), given.get("transA", 0)) != (1.0, 1.0, 0):
        return None
    outputs, inputs = _stored("Gemm", constants[0], given).shape
    return nn.Linear(inputs, outputs, bias=len(constants) > 1)


_WEIGHTED: Mapping[str, Callable[[Sequence[Tensor], Given], nn.Module | None]] = {
    "Conv": _convolution,
    "BatchNormalization": _batch_normalisation,
    "PRelu": lambda constants, _: nn.PReLU(constants[0].numel()),
    "Gemm": _linear,
    "MatMul": _linear,
}
"""Layers with weights, built empty."""


def _stored(kind: str, values: Tensor, given: Given) -> Tensor:
    """Turn a constant of a node into the parameter that PyTorch has: slopes flat, a matrix as outputs x inputs."""
    if kind == "PRelu":
        return values.flatten()
    if kind in ("Gemm", "MatMul") and values.ndim == 2 and not given.get("transB", 0):
        return values.T.contiguous()
    return values
