"""Log training to MLflow: parameters, curves, pictures, machine figures, data digest, weights."""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.evidence.evidence import compose
from models.identity.encoders import encoder_sha256
from models.images import Image, to_uint8
from models.objective import Batch
from pipeline.config.identity import IdentityParams
from pipeline.config.masks import MaskParams
from pipeline.config.training import TrainParams
from pipeline.project.paths import Paths
from pipeline.registry import tracking
from pipeline.registry.data_sets import log_data_set

if TYPE_CHECKING:
    from pipeline.training.report import TrainReport


def log_start(paths: Paths, train: TrainParams, masks: MaskParams, identity: IdentityParams) -> None:
    """Open the run with all parameters and what the data was."""
    tracking.current_run(paths, fresh=True)
    encoder = {"training": encoder_sha256(identity.training)}
    sections = {"train": train.model_dump(), "masks": masks.model_dump(), "identity": identity.model_dump()}
    tracking.log_params(paths, {**sections, "encoder_sha256": encoder})
    tracking.set_tags(paths, {"data_rows_sha256": _sha256(paths.portrait_rows.read_bytes())})
    log_data_set(paths, "training")
    lock = paths.root / "dvc.lock"
    if lock.is_file():
        tracking.log_artifact(paths, lock)


def log_end(paths: Paths, report: "TrainReport", batch: Batch, proposal: torch.Tensor) -> None:
    """Add the result: weights, curves as a file, and a strip of held-out portraits."""
    tracking.log_metrics(paths, {"train/images_per_second": report.images_per_second, "train/seconds": report.seconds})
    tracking.set_tags(paths, {"weights_sha256": report.weights_sha256})
    for file in (paths.training_curves, paths.training_report, paths.trained_weights):
        tracking.log_artifact(paths, file, "training")
    tracking.log_image(paths, strip(batch, proposal), "held-out")


@torch.inference_mode()
def strip(batch: Batch, proposal: torch.Tensor) -> Image:
    """Draw rows of target, damaged, classical fill, restored, side by side: (N * H, 4 * W, 3) uint8."""
    evidence, target = batch
    restored = compose(evidence.damaged, proposal)
    columns: Iterable[torch.Tensor] = (target.image, evidence.damaged.image, evidence.start, restored)
    return np.concatenate([np.concatenate(list(to_uint8(column))) for column in columns], axis=1)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
