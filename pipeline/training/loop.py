"""Run Lightning's trainer: epochs, held-out loss, early stop, and a checkpoint that survives kill -9."""

import csv
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from models.ema import AveragedModule
from models.errors import ConfigError
from models.runtime.lightning import Callback, EarlyStopping, L
from pipeline.config.training import TrainParams
from pipeline.training.dataset import CachedBatches

Curves = list[dict[str, float]]
"""One dict per epoch: epoch, step, and every logged figure."""
Notify = Callable[[dict[str, float], int], None]
"""Called after each epoch with its figures and the step."""

log = logging.getLogger(__name__)
_MONITOR = "validation/loss"


@dataclass(frozen=True)
class Outcome:
    """How training ended; the module's `ema` is then that of the best epoch."""

    best_epoch: int
    curves: Curves
    stopped_early: bool
    resumed_at_step: int


class Epochs(L.LightningDataModule):
    """Fresh training batches for every epoch, the same held-out ones."""

    def __init__(self, learning: Callable[[int], Iterable[Any]], held_out: CachedBatches) -> None:
        super().__init__()
        self.learning, self.held_out = learning, held_out

    def train_dataloader(self) -> Iterable[Any]:
        """Make the next epoch's loader (`reload_dataloaders_every_n_epochs=1`); each process draws its own samples."""
        trainer = self.trainer
        return self.learning(trainer.current_epoch * trainer.world_size + trainer.global_rank if trainer else 0)

    def val_dataloader(self) -> CachedBatches:
        """Load the same pictures with the same damage, every time."""
        return self.held_out


@dataclass
class Keeper(Callback):
    """Keeps the best averaged weights, the curves, and after every epoch a checkpoint that is whole or absent."""

    checkpoint: Path
    notify: Notify
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    best_loss: float = float("inf")
    best_epoch: int = -1
    curves: Curves = field(default_factory=list)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note the curves after validation, keep the best weights, save."""
        assert isinstance(pl_module, AveragedModule)
        figures = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        self.curves.append({"epoch": trainer.current_epoch, "step": int(pl_module.steps)} | figures)
        if trainer.is_global_zero:
            self._keep_best(trainer, pl_module, figures)
        temporary = self.checkpoint.with_suffix(".tmp")
        trainer.save_checkpoint(temporary)  # every process takes part, one writes
        if trainer.is_global_zero:
            temporary.replace(self.checkpoint)

    def _keep_best(self, trainer: L.Trainer, pl_module: AveragedModule, figures: dict[str, float]) -> None:
        log.info("epoch %d: held-out loss %.4f", trainer.current_epoch + 1, figures[_MONITOR])
        if figures[_MONITOR] < self.best_loss:
            self.best_loss, self.best_epoch = figures[_MONITOR], trainer.current_epoch
            self.best = {key: value.clone() for key, value in pl_module.ema.state_dict().items()}
        self.notify(figures, int(pl_module.steps))

    def state_dict(self) -> dict[str, Any]:
        """Collect what a resumed run needs."""
        return {"best": self.best, "loss": self.best_loss, "epoch": self.best_epoch, "curves": self.curves}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` collected."""
        self.best, self.best_loss = state_dict["best"], state_dict["loss"]
        self.best_epoch, self.curves = state_dict["epoch"], state_dict["curves"]


def fit(
    module: AveragedModule,
    learning: Callable[[int], Iterable[Any]],
    held_out: CachedBatches,
    train: TrainParams,
    checkpoint: Path,
    notify: Notify,
) -> Outcome:
    """Train until the epochs are over or the held-out loss stops falling; then the checkpoint is removed.

    Args:
        module: networks and objective; trained in place.
        learning: batches by number: of the epoch, or with several processes one number per epoch and process.
        held_out: batches to validate on.
        train: epochs, patience and hardware.
        checkpoint: where the last epoch's state lies; if it exists, training goes on from there.
        notify: called with the figures of each epoch.

    Raises:
        ConfigError: there is no such device.
    """
    if train.hardware.accelerator == "cuda" and not torch.cuda.is_available():
        raise ConfigError("a CUDA device", "none", "set train.hardware.accelerator to auto or cpu")
    if train.hardware.compile:
        module.trained.compile()
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    keeper, stopper = Keeper(checkpoint, notify), EarlyStopping(_MONITOR, patience=train.patience)
    trainer = _trainer(train, [stopper, keeper])
    resume = checkpoint if checkpoint.is_file() else None
    resumed = int(torch.load(resume, weights_only=True)["state_dict"]["steps"]) if resume else 0
    if resume:
        log.info("resuming from step %d (%s)", resumed, checkpoint)
    trainer.fit(module, datamodule=Epochs(learning, held_out), ckpt_path=resume, weights_only=True)
    if not trainer.is_global_zero:
        sys.exit()  # this process was started to compute; the first one writes
    module.ema.load_state_dict(keeper.best)
    checkpoint.unlink(missing_ok=True)
    return Outcome(keeper.best_epoch, keeper.curves, stopper.stopped_epoch > 0, resumed)


def write_curves(curves: Curves, path: Path) -> None:
    """Write one CSV line per epoch, columns sorted; DVC plots it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ["epoch", "step", *sorted({name for line in curves for name in line} - {"epoch", "step"})]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(curves)


def _trainer(train: TrainParams, callbacks: list[Callback]) -> L.Trainer:
    return L.Trainer(
        max_epochs=train.epochs,
        accelerator=train.hardware.accelerator,
        devices=train.hardware.devices,
        num_nodes=train.hardware.num_nodes,
        strategy=train.hardware.strategy,
        precision=train.hardware.precision,
        use_distributed_sampler=False,  # `Epochs` shares the samples out
        callbacks=callbacks,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
        deterministic="warn",
    )
