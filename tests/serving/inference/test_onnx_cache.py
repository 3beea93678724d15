"""A served graph is the one that this installation made: whatever else lies in the cache is made again."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from models.errors import WeightsError
from models.evidence.evidence import CHANNELS, CONDITIONS
from models.evidence.identity_condition import HINTS
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.generator import Generator
from models.gan.onnx import OnnxRestorer, graph_difference
from models.gan.restorer import Restorer, save_weights
from models.weight_files import weights_sha256
from pipeline.project.derived_files import DerivedFiles
from pipeline.project.paths import Paths
from serving.inference.onnx_cache import MAX_DIFFERENCE, served_restorer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]


def small_weights(path: Path, seed: int) -> str:
    """Weights of a small generator; returns their digest."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = Generator(8, 2)
        for parameter in generator.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    save_weights(generator, path, image_size=32)
    return weights_sha256(path)


class Cache:
    """Weights, their graph in a cache, and what is served from it."""

    def __init__(self, root: Path) -> None:
        self.root, self.weights, self.folder = root, root / "1.safetensors", root / "cache" / "graphs"
        self.digest = small_weights(self.weights, 1)
        self.network = Restorer.load(self.weights)
        self.graph = self.folder / f"{self.digest}.onnx"

    def served(self, installation: str = "ours") -> OnnxRestorer:
        """Load as a start of that installation's service does."""
        graphs = DerivedFiles.of(Paths(self.root / installation), self.folder)
        served = served_restorer(self.weights, self.digest, graphs, 1)
        assert isinstance(served, OnnxRestorer)
        return served


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    cache = Cache(tmp_path_factory.mktemp("graphs"))
    cache.served()
    return cache


def difference_elsewhere(network: Restorer, graph: OnnxRestorer) -> float:
    """The largest difference for inputs other than the one that the service compares."""
    rng, size = torch.Generator().manual_seed(7), network.image_size
    inputs = torch.rand(3, CHANNELS, size, size, generator=rng) * 2 - 1
    shares, hint = torch.rand(3, CONDITIONS, generator=rng), torch.randn(3, HINTS, generator=rng)
    with torch.inference_mode():
        return float((network.generator.propose(inputs, shares, hint) - graph.run([inputs, shares, hint])).abs().max())


def test_a_graph_is_made_once(made: Cache) -> None:
    before = made.graph.stat().st_mtime_ns
    assert graph_difference(made.network, made.served()) < 1e-4
    assert made.graph.stat().st_mtime_ns == before


def test_a_graph_that_agrees_on_the_compared_input_and_differs_elsewhere_is_not_served(made: Cache) -> None:
    """A trigger: the proposal is inverted for all shares but those of the comparison."""
    rigged = with_trigger(onnx.load(made.graph))
    made.graph.write_bytes(rigged)
    loose = OnnxRestorer(rigged, 1, shipped_face_model())
    assert graph_difference(made.network, loose) <= MAX_DIFFERENCE  # the comparison alone would take it
    assert difference_elsewhere(made.network, loose) > 0.1
    served = made.served()
    assert difference_elsewhere(made.network, served) < 1e-4
    assert made.graph.read_bytes() != rigged  # and it is made again


def with_trigger(model: onnx.ModelProto) -> bytes:
    """Invert the proposal where the mean share is not that of the compared input."""
    from onnx import helper, numpy_helper

    rng = torch.Generator().manual_seed(0)  # as `graph_difference` draws its input
    torch.rand(1, CHANNELS, 32, 32, generator=rng)
    known = torch.rand(1, CONDITIONS, generator=rng).mean().item()
    for node in model.graph.node:
        for index, name in enumerate(node.output):
            if name == "proposal":
                node.output[index] = "honest"
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(known, np.float32), "known"),
            numpy_helper.from_array(np.array(1e-5, np.float32), "near"),
        ]
    )
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["shares"], ["mean"], keepdims=0),
            helper.make_node("Sub", ["mean", "known"], ["off"]),
            helper.make_node("Abs", ["off"], ["far"]),
            helper.make_node("Less", ["far", "near"], ["compared"]),
            helper.make_node("Neg", ["honest"], ["inverted"]),
            helper.make_node("Where", ["compared", "honest", "inverted"], ["proposal"]),
        ]
    )
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("kept", [0, 1000])
def test_a_cut_graph_is_made_again(kept: int, made: Cache) -> None:
    whole = made.graph.read_bytes()
    made.graph.write_bytes(whole[:kept])
    assert graph_difference(made.network, made.served()) < 1e-4
    assert len(made.graph.read_bytes()) == len(whole)


def test_a_graph_of_other_weights_is_not_served_under_these(made: Cache) -> None:
    """Both files have fitting seals, each for its own name."""
    graphs = DerivedFiles.of(Paths(made.root / "ours"), made.folder)
    other = made.root / "2.safetensors"
    digest = small_weights(other, 2)
    served_restorer(other, digest, graphs, 1)
    for file in made.folder.glob(f"{digest}*"):
        shutil.copy(file, made.folder / file.name.replace(digest, made.digest))
    assert graphs.read(made.graph.name) is None
    assert graph_difference(made.network, made.served()) < 1e-4


def test_another_installations_graph_is_not_trusted(made: Cache) -> None:
    made.served("theirs")
    assert DerivedFiles.of(Paths(made.root / "theirs"), made.folder).read(made.graph.name) is not None
    assert graph_difference(made.network, made.served("ours")) < 1e-4


def test_a_cache_that_cannot_be_written_still_serves(made: Cache, tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("a file where the cache should be")
    graphs = DerivedFiles.of(Paths(tmp_path), tmp_path / "no folder")
    assert isinstance(served_restorer(made.weights, made.digest, graphs, 1), OnnxRestorer)


def test_other_weights_than_the_digest_says_are_refused(made: Cache) -> None:
    graphs = DerivedFiles.of(Paths(made.root / "ours"), made.folder)
    with pytest.raises(WeightsError, match="SHA-256"):
        served_restorer(made.weights, "0" * 64, graphs, 1)
