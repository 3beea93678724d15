"""Wiring of the diffusion training: one optimiser. Formulas: `models.diffusion.losses`, `models.objective`."""

import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models import losses
from models.diffusion.denoiser import Denoiser, noise_schedule, sample, told, visited_levels
from models.diffusion.losses import clamped_snr, clean_from_output, missing_square
from models.diffusion.residual import coloured, missing_part, residual, scale
from models.diffusion.restorer import Sampling, save_denoiser
from models.ema import AveragedModule
from models.evidence.evidence import Evidence, compose
from models.gan.module import cosine
from models.objective import Judges, Terms, Truth, require_finite

if TYPE_CHECKING:
    from lightning.pytorch.utilities.types import OptimizerLRScheduler  # `models.runtime.lightning` has to come first

Batch = tuple[Evidence, Truth]


@dataclass(frozen=True)
class DiffusionSettings:
    """How the denoiser learns.

    Attributes:
        lpips: weight of the perceptual distance of the predicted clean picture.
        identity: weight of its identity distance.
        gamma: highest weight of a noise level, `losses.clamped_snr`.
        decay_steps: steps over which the learning rate falls along a cosine; 0 = never.
        levels: noise levels that training draws from: those that a sampler of so many steps visits.
        weight_decay: of AdamW.
        sampling: how the trained denoiser shall be used.
    """

    lpips: float
    identity: float
    gamma: float
    levels: int
    learning_rate: float
    decay_steps: int
    weight_decay: float
    betas: tuple[float, float]
    ema_decay: float
    seed: int
    sampling: Sampling


class DiffusionModule(AveragedModule):
    """The denoiser learns to see the missing part through any amount of noise."""

    signal: Tensor
    levels: Tensor

    def __init__(self, denoiser: Denoiser, judges: Judges, settings: DiffusionSettings) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.ema = copy.deepcopy(denoiser).requires_grad_(False).eval()
        self.judges = (judges,)  # in a tuple: frozen networks belong in no checkpoint
        self.settings = settings
        self.schedule = noise_schedule(denoiser.shape.prediction)
        self.register_buffer("signal", self.schedule.alphas_cumprod, persistent=False)
        self.register_buffer("levels", visited_levels(settings.levels), persistent=False)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def configure_optimizers(self) -> "OptimizerLRScheduler":
        """AdamW (Loshchilov and Hutter, 2019), its rate along a cosine where asked."""
        s = self.settings
        optimizer = torch.optim.AdamW(
            self.denoiser.parameters(), lr=s.learning_rate, betas=s.betas, weight_decay=s.weight_decay
        )
        rate = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(cosine, steps=s.decay_steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002 - Lightning's signature
        """One step; its number decides levels and noise, so a resumed run repeats them."""
        terms = self._terms(self.denoiser, batch, self.settings.seed + int(self.steps))
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
        )
        return self._total(terms)

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Average after each step, faster while there are few: (1 + steps) / (10 + steps) at first."""
        self.steps += 1
        steps = int(self.steps)
        self.average(self.denoiser, min(self.settings.ema_decay, (1 + steps) / (10 + steps)))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Losses of the averaged denoiser on held-out portraits, always with the same noise."""
        terms = self._terms(self._kept(), batch, self.settings.seed + 1_000_000_007 + batch_idx)
        named = {f"validation/{name}": value for name, value in (terms | {"loss": self._total(terms)}).items()}
        self.log_dict(named, batch_size=len(batch[1].target))

    @torch.inference_mode()
    def propose(self, evidence: Evidence) -> Tensor:
        """One draw of the averaged denoiser."""
        dice = torch.Generator().manual_seed(self.settings.seed)
        white = torch.randn(1, *evidence.start.shape[1:], generator=dice).to(evidence.start)
        return sample(self._kept(), evidence, white, self.settings.sampling.steps)

    def save(self, path: Path, image_size: int) -> None:
        """Write the averaged denoiser, with how to sample from it."""
        save_denoiser(self._kept(), path, image_size, self.settings.sampling)

    def _kept(self) -> Denoiser:
        assert isinstance(self.ema, Denoiser)
        return self.ema

    def _terms(self, denoiser: Denoiser, batch: Batch, seed: int) -> Terms:
        evidence, truth = batch
        dice, shape = torch.Generator().manual_seed(seed), denoiser.shape
        clean = residual(truth.target, evidence, shape.spread)
        level = self.levels[torch.randint(len(self.levels), (len(clean),), generator=dice).to(self.device)]
        noise = coloured(torch.randn(clean.shape, generator=dice).to(self.device), shape.spread)
        noisy = self.schedule.add_noise(clean, missing_part(noise, evidence.damaged), level)
        output = denoiser(noisy, level, *told(evidence))
        signal = self.signal[level]
        found = missing_part(clean_from_output(output, noisy, signal, shape.prediction), evidence.damaged)
        weights = clamped_snr(signal, self.settings.gamma)
        terms = {"residual": missing_square(found - clean, evidence.damaged.chroma_mask, weights)}
        proposal = evidence.start + scale(evidence.damaged, shape.spread) * found
        terms |= self._seen(compose(evidence.damaged, proposal), truth)
        require_finite(terms, int(self.steps))
        return terms

    def _seen(self, restored: Tensor, truth: Truth) -> Terms:
        """What the judges say of the predicted clean picture; those without weight are not asked."""
        (judges,), terms = self.judges, {}
        if self.settings.lpips:
            terms["lpips"] = judges.perceptual(restored, truth.target).mean()
        if self.settings.identity:
            wanted = judges.encoder.embed(truth.target, truth.points)
            terms["identity"] = losses.identity(judges.encoder.embed(restored, truth.points), wanted)
        return terms

    def _total(self, terms: Terms) -> Tensor:
        factors = {"residual": 1.0, "lpips": self.settings.lpips, "identity": self.settings.identity}
        return torch.stack([factors[name] * value for name, value in terms.items()]).sum()
