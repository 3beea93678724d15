"""Training module of the diffusion model: one optimiser. Formulas: `models.diffusion.denoise`, `models.objective`."""

import copy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from models.diffusion.denoise import denoised
from models.diffusion.denoiser import Denoiser, expected, sample, visited_levels
from models.diffusion.noise import PosteriorNoise
from models.diffusion.restorer import DiffusionRestorer, save_denoiser
from models.diffusion.settings import DiffusionSettings
from models.ema import AveragedModule
from models.evidence.evidence import Evidence, compose
from models.face_model.shape_and_appearance import ShapedFaceModel, shipped_face_model
from models.face_model.stored import StoredFaceModel
from models.objective import Batch, Comparison, Judges, Terms, compare, require_finite, total
from models.optimisation import OptimiserSettings, cosine

if TYPE_CHECKING:
    # not at run time: `models.runtime.lightning` has to come first
    from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig


class DiffusionModule(AveragedModule):
    """Train the denoiser to restore the missing part from any amount of the face model's posterior noise."""

    ema: Denoiser
    levels: Tensor

    def __init__(
        self, denoiser: Denoiser, judges: Judges, optimiser_settings: OptimiserSettings, settings: DiffusionSettings
    ) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.ema = copy.deepcopy(denoiser).requires_grad_(False).eval()
        self.judges = (judges,)  # in a tuple: frozen networks belong in no checkpoint
        self.optimiser_settings, self.settings = optimiser_settings, settings
        self.register_buffer("levels", visited_levels(settings.levels), persistent=False)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @classmethod
    def build(
        cls, optimiser_settings: OptimiserSettings, settings: DiffusionSettings, judges: Judges, start: Path | None
    ) -> Self:
        """Build the denoiser, from the weights at `start` if there are any.

        Raises:
            WeightsError: those weights are missing, or of another kind or architecture.
        """
        denoiser = Denoiser(settings.shape)
        if start is not None:
            denoiser = DiffusionRestorer.load(start).denoiser.train()
        denoiser = denoiser.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # not in stubs
        return cls(denoiser, judges, optimiser_settings, settings)

    @property
    def trained(self) -> Denoiser:
        """The denoiser."""
        return self.denoiser

    def configure_optimizers(self) -> "OptimizerLRSchedulerConfig":
        """Make AdamW (Loshchilov and Hutter, 2019), its rate along a cosine if required."""
        s = self.optimiser_settings
        optimizer = torch.optim.AdamW(
            self.denoiser.parameters(), lr=s.learning_rate, betas=s.betas, weight_decay=self.settings.weight_decay
        )
        rate = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(cosine, steps=s.decay_steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002 - Lightning's signature
        """Make one step; its number decides levels and noise, so a resumed run repeats them."""
        terms = self._terms(self.denoiser, batch, self.optimiser_settings.seed + int(self.steps))
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
        )
        return total(terms, self.settings.losses)

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Average after each step, faster while there are few: (1 + steps) / (10 + steps) at first."""
        self.steps += 1
        steps = int(self.steps)
        self.average(self.denoiser, min(self.optimiser_settings.ema_decay, (1 + steps) / (10 + steps)))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure the averaged denoiser on held-out portraits, always with the same noise."""
        terms = self._terms(self.ema, batch, self.optimiser_settings.seed + 1_000_000_007 + batch_idx)
        loss = total(terms, self.settings.losses)
        named = {f"validation/{name}": value for name, value in (terms | {"loss": loss}).items()}
        self.log_dict(named, batch_size=len(batch[1].image))

    @torch.inference_mode()
    def propose(self, evidence: Evidence) -> Tensor:
        """Draw once from the averaged denoiser."""
        noise = self._noise(evidence)
        white = noise.white(torch.Generator().manual_seed(self.optimiser_settings.seed), shared=True)
        mean = expected(self.ema, evidence)
        return sample(self.ema, evidence, mean, noise.draw(white), self.settings.sampling)

    def restorer(self, image_size: int, face_model: ShapedFaceModel) -> DiffusionRestorer:
        """Make a restorer of the averaged denoiser."""
        return DiffusionRestorer(self.ema, image_size, self.settings.sampling, face_model)

    def save(self, path: Path, image_size: int, face_model: StoredFaceModel) -> None:
        """Write the averaged denoiser, how to sample from it, and the face model."""
        save_denoiser(self.ema, path, image_size, self.settings.sampling, face_model)

    def _terms(self, denoiser: Denoiser, batch: Batch, seed: int) -> Terms:
        evidence, target = batch
        rng, mask = torch.Generator().manual_seed(seed), evidence.damaged.chroma_mask
        level = self.levels[torch.randint(len(self.levels), (len(mask),), generator=rng).to(self.device)]
        noise = self._noise(evidence)
        proposal = denoised(denoiser, batch, noise, noise.white(rng, shared=False), level)
        (judges,) = self.judges
        pair = Comparison(proposal, compose(evidence.damaged, proposal), target, mask, judges)
        terms = compare(pair, [name for name, weight in self.settings.losses.items() if weight])
        require_finite(terms, int(self.steps))
        return terms

    def _noise(self, evidence: Evidence) -> PosteriorNoise:
        """Give noise by the face model that ships: what is open differs little from model to model."""
        return PosteriorNoise.of(evidence, shipped_face_model(), self.denoiser.shape.spread)
