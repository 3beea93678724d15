"""Stage `train`: from the champion's weights and the training split to a challenger's weights."""

import hashlib
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from models.errors import DataError
from models.kinds import KINDS
from pipeline.config.identity import IdentityParams
from pipeline.config.masks import MaskParams
from pipeline.config.training import TrainParams
from pipeline.portraits.read import read_portraits
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.training.dataset import CachedBatches, DamagedPortraits, EchoedBatches, batches
from pipeline.training.face_models import FaceModels, fit_face_models
from pipeline.training.report import TrainReport

if TYPE_CHECKING:
    from models.ema import AveragedModule
    from models.face_model.stored import StoredFaceModel
    from models.objective import Batch
    from pipeline.training.loop import Outcome

_HELD_OUT = 64


def train(*, train: TrainParams, masks: MaskParams, identity: IdentityParams, paths: Paths) -> TrainReport:
    """Train a challenger: the face model, then a network that corrects it; writes both, curves and a report.

    A run that was killed goes on from its last epoch, if parameters, data and starting weights are the same.

    Raises:
        DataError: no portraits to train or validate on.
        NonFiniteLoss: a loss that is not a finite number; nothing is written then.
        WeightsError: the champion's weights are missing or of another architecture, or the training encoder is missing
            or lets no gradients pass.
    """
    from models.identity.encoders import training_encoder
    from models.restorer_file import read_face_model
    from models.runtime.lightning import first_process
    from models.weight_files import weights_sha256
    from pipeline.registry.tracking import log_metrics, system_metrics
    from pipeline.training.build import build_module
    from pipeline.training.loop import fit, write_curves
    from pipeline.training.tracking import log_end, log_start

    rows = read_portraits(paths)
    learning, held_out = (_split(rows, name) for name in ("train", "validation"))
    module = build_module(train, training_encoder(identity.training), paths)
    before = read_face_model(paths.champion_weights) if train.warm_start == "champion" else None
    models = fit_face_models(paths, learning, before, train.face_model, train.seed, identity.edition)
    samples = partial(_samples, paths, learning, masks, train, models)
    fixed = CachedBatches(batches(_held_out_samples(paths, held_out, masks, train, models.stored), train.batch_size, 0))
    if first_process():
        log_start(paths, train, masks, identity)
    started = time.monotonic()
    with system_metrics(paths):
        outcome = fit(
            module,
            lambda epoch: _batches(samples(epoch), train, epoch),
            fixed,
            train,
            checkpoint=paths.checkpoints / fingerprint(train, masks, identity, paths) / "last.ckpt",
            notify=lambda figures, step: log_metrics(paths, figures, step),
        )
    seconds = time.monotonic() - started
    sample = next(iter(fixed))
    module.save(paths.trained_weights, sample[1].image.shape[-1], models.stored)
    write_curves(outcome.curves, paths.training_curves)
    report = _report(
        train, outcome, module, (len(learning), models.people), seconds, weights_sha256(paths.trained_weights)
    )
    write_text(paths.training_report, report.model_dump_json(indent=2))
    log_end(paths, report, sample, module.propose(sample[0]))
    return report


def fingerprint(train: TrainParams, masks: MaskParams, identity: IdentityParams, paths: Paths) -> str:
    """Digest what decides each step to 16 hexadecimal digits: a checkpoint of another run is never resumed.

    How long training goes on is not part of it, so that more epochs continue where fewer were killed, unless the
    learning rate falls over their number.
    """
    from models.identity.encoders import encoder_sha256

    free = {"patience", "workers"} | ({"epochs"} if train.schedule == "constant" else set())
    each_step = train.model_dump_json(exclude=free)
    digest = hashlib.sha256(f"{each_step}{masks.model_dump_json()}{encoder_sha256(identity.training)}".encode())
    for file in (paths.portrait_rows, paths.champion_weights):
        digest.update(_content(file))
    return digest.hexdigest()[:16]


def _content(file: Path) -> bytes:
    if not file.is_file():
        return b""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _split(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    chosen = rows[rows["split"] == name].reset_index(drop=True)
    if chosen.empty:
        raise DataError(f"portraits in the {name} split", "none", "add portraits or change data.split in params.yaml")
    return chosen


def _samples(
    paths: Paths, rows: pd.DataFrame, masks: MaskParams, train: TrainParams, models: FaceModels, epoch: int
) -> DamagedPortraits:
    count = train.steps_per_epoch // KINDS[train.kind].echoes(train) * train.batch_size
    first = epoch * count
    return DamagedPortraits(paths, rows, masks, train.evidence, models, train.seed, first, count, flip=True)


def _batches(samples: DamagedPortraits, train: TrainParams, epoch: int) -> Iterable["Batch"]:
    fresh, echoes = batches(samples, train.batch_size, train.workers), KINDS[train.kind].echoes(train)
    return fresh if echoes == 1 else EchoedBatches(fresh, echoes, train.seed + epoch)


def _held_out_samples(
    paths: Paths, rows: pd.DataFrame, masks: MaskParams, train: TrainParams, face_model: "StoredFaceModel"
) -> DamagedPortraits:
    """Read the held-out portraits, each with one unchanging damage; at most 64, so that an epoch stays short."""
    count, models = min(len(rows), _HELD_OUT), FaceModels.of_stored(face_model)
    return DamagedPortraits(paths, rows, masks, train.evidence, models, train.seed + 1, 0, count, flip=False)


def _report(
    train: TrainParams,
    outcome: "Outcome",
    module: "AveragedModule",
    counts: tuple[int, int],
    seconds: float,
    sha256: str,
) -> TrainReport:
    """Report; `counts`: of portraits, and of people that the face model was fitted to."""
    steps = int(module.steps)
    done = (steps - outcome.resumed_at_step) * train.batch_size
    return TrainReport(
        epochs=steps // train.steps_per_epoch,
        steps=steps,
        stopped_early=outcome.stopped_early,
        resumed_at_step=outcome.resumed_at_step,
        best_epoch=outcome.best_epoch,
        seconds=round(seconds, 1),
        images_per_second=round(done / seconds, 2),
        parameters=sum(p.numel() for p in module.ema.parameters()),
        portraits=counts[0],
        fitted_people=counts[1],
        losses={name: value for name, value in outcome.curves[-1].items() if "/" in name},
        weights_sha256=sha256,
    )
