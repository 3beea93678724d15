"""Print where a training step spends its time.

`python -m scripts.benchmarks.profile_training --workspace DIR` (after ingest).
Parts are timed alone on one batch, forward and backward where training needs both; the whole step and the data worker
are timed as they are. One thread, as in training beside a data worker on two cores.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from models.evidence.evidence import compose
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.module import GanModule
from models.identity.encoders import training_encoder
from models.objective import Batch
from pipeline.config.load import load_params
from pipeline.portraits.read import read_portraits
from pipeline.project.paths import Paths
from pipeline.training.build import build_module
from pipeline.training.dataset import DamagedPortraits, batches
from pipeline.training.face_models import FaceModels

RUNS = 3


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    paths = Paths(arguments.workspace.resolve())
    params = load_params(paths.params)
    train = params.train.model_copy(update={"warm_start": "none"})
    rows = read_portraits(paths)
    models = FaceModels.of_stored(StoredFaceModel.load(FACE_MODEL))
    samples = DamagedPortraits(paths, rows, params.masks, train.evidence, models, 0, 0, 64, flip=True)
    stream = iter(batches(samples, train.batch_size, 0))
    batch = next(stream)
    module = build_module(train, training_encoder(params.identity.training), paths)
    assert isinstance(module, GanModule)
    timed = {name: seconds(part) for name, part in parts(module, batch).items()}
    timed["data: damage, face model, evidence (its own process)"] = seconds(lambda: next(stream))
    print(f"| part of a step of {train.batch_size} | s | images / s |\n|---|---|---|")
    for name, value in sorted(timed.items(), key=lambda item: -item[1]):
        print(f"| {name} | {value:.3f} | {train.batch_size / value:.1f} |")


def parts(module: GanModule, batch: Batch) -> dict[str, Callable[[], object]]:
    """The parts of a step as closures."""
    (evidence, target), (judges,) = batch, module.judges
    mask = evidence.damaged.chroma_mask
    restored = compose(evidence.damaged, module.generator(evidence).detach()).requires_grad_(True)
    rng = torch.Generator().manual_seed(0)

    def embed_target() -> torch.Tensor:
        with torch.no_grad():
            return judges.encoder.embed(target.image, target.points)

    return {
        "generator, forward and backward": lambda: descend(module.generator(evidence).mean()),
        "LPIPS, forward and backward": lambda: descend(judges.perceptual(restored, target.image).mean()),
        "identity of the restored, forward and backward": lambda: descend(
            judges.encoder.embed(restored, target.points).mean()
        ),
        "identity of the target, forward": embed_target,
        "adversarial terms": lambda: descend(
            torch.stack(list(module._adversarial(restored, target.image, mask, rng).values())).sum()
        ),
    }


def descend(loss: torch.Tensor) -> None:
    """The backward pass alone."""
    torch.autograd.backward(loss)


def seconds(work: Callable[[], object]) -> float:
    """Mean wall seconds after one call to warm up."""
    work()
    begin = time.perf_counter()
    for _ in range(RUNS):
        work()
    return (time.perf_counter() - begin) / RUNS


if __name__ == "__main__":
    main()
