"""The kinds of network, in one table.

A kind is a folder of `models/` with the same roles: settings, network, losses, module (its training) and restorer (its
use). Its line in `KINDS` says how the rest of the project reaches them. Roles are imported when they are asked for:
`params.yaml` is checked against this table, and reading it must not load PyTorch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, Self

from models.diffusion.settings import DiffusionSettings
from models.gan.settings import GanSettings

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from models.ema import AveragedModule
    from models.evidence.evidence import Damaged, Evidence
    from models.face_model.shape_and_appearance import ShapedFaceModel
    from models.objective import Batch, Judges


@dataclass(frozen=True)
class TrainSettings(GanSettings):
    """How a network is trained: the keys of section `train` that concern a network.

    The GAN's settings lie flat; those of any other kind lie under its name.
    """

    kind: str
    diffusion: DiffusionSettings


class AnyRestorer(Protocol):
    """Restores batches of aligned portraits of side `image_size`, from evidence that `face_model` gathers."""

    image_size: int
    face_model: "ShapedFaceModel"

    def propose(self, damaged: "Damaged") -> "Tensor": ...

    def restore(self, damaged: "Damaged") -> "Tensor": ...

    def restore_from(self, evidence: "Evidence") -> "Tensor": ...


class StoredRestorer(AnyRestorer, Protocol):
    """A restorer with its network, as a weights file holds it."""

    @property
    def network(self) -> "nn.Module": ...

    def to(self, device: "torch.device") -> Self: ...


@dataclass(frozen=True)
class Graph:
    """A restorer as an ONNX graph.

    Attributes:
        export: makes a restorer's graph.
        load: opens one, for so many threads, to go with a face model.
        difference: the largest difference between the proposals of a restorer and of its graph.
    """

    export: Callable[[Any], bytes]
    load: "Callable[[bytes, int, ShapedFaceModel], AnyRestorer]"
    difference: Callable[[Any, Any], float]


@dataclass(frozen=True)
class StoredKind:
    """What the rest of the project needs to use the weights of one kind.

    Attributes:
        load: the restorer in a weights file.
        objective: (network, batch, judges, weights) -> the loss, as far as it has one value for given weights; None
            for a kind whose loss depends on chance altogether, or that has none.
        graph: how its restorers become ONNX graphs; None for a kind that runs in PyTorch.
    """

    load: Callable[[Path], StoredRestorer]
    objective: "Callable[[nn.Module, Batch, Judges, Mapping[str, float]], Tensor] | None"
    graph: Callable[[], Graph] | None


@dataclass(frozen=True)
class Kind(StoredKind):
    """What the rest of the project needs besides to train a network of one kind.

    Attributes:
        build: the module that trains it, from the weights in a file or from scratch (None).
        weights: the weight of each term of its loss.
        echoes: how often its training uses each batch of evidence.
    """

    build: "Callable[[TrainSettings, Judges, Path | None], AveragedModule]"
    weights: Callable[[TrainSettings], Mapping[str, float]]
    echoes: Callable[[TrainSettings], int]


def _build_gan(settings: TrainSettings, judges: "Judges", start: Path | None) -> "AveragedModule":
    from models.gan.module import GanModule

    return GanModule.build(settings, judges, start)


def _load_gan(path: Path) -> StoredRestorer:
    from models.gan.restorer import Restorer

    return Restorer.load(path)


def _gan_objective(network: "nn.Module", batch: "Batch", judges: "Judges", weights: Mapping[str, float]) -> "Tensor":
    from models.gan.losses import fixed_objective

    return fixed_objective(network, batch, judges, weights)


def _gan_graph() -> Graph:
    from models.gan.onnx import OnnxRestorer, export_onnx, graph_difference

    return Graph(export_onnx, OnnxRestorer, graph_difference)


def _build_diffusion(settings: TrainSettings, judges: "Judges", start: Path | None) -> "AveragedModule":
    from models.diffusion.module import DiffusionModule

    return DiffusionModule.build(settings, settings.diffusion, judges, start)


def _load_diffusion(path: Path) -> StoredRestorer:
    from models.diffusion.restorer import DiffusionRestorer

    return DiffusionRestorer.load(path)


def _load_completion(path: Path) -> StoredRestorer:
    from models.completion.restorer import CompletionRestorer

    return CompletionRestorer.load(path)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "gan": Kind(
            build=_build_gan,
            load=_load_gan,
            weights=lambda settings: vars(settings.losses),
            echoes=lambda _: 1,
            objective=_gan_objective,
            graph=_gan_graph,
        ),
        "diffusion": Kind(
            build=_build_diffusion,
            load=_load_diffusion,
            weights=lambda settings: settings.diffusion.losses,
            echoes=lambda settings: settings.diffusion.echoes,
            objective=None,
            graph=None,
        ),
    }
)
"""Every kind that can be trained, by its name in `train.kind` and in the headers of weights files."""
STORED: Mapping[str, StoredKind] = MappingProxyType({**KINDS, "completion": StoredKind(_load_completion, None, None)})
"""Every kind by its name in the headers of weights files."""
