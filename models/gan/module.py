"""Wiring of the adversarial training: two optimisers, by hand. Formulas: `models.losses`, `models.objective`."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models import losses
from models.ema import AveragedModule
from models.evidence.evidence import Evidence, compose
from models.gan.augment import Policy, augment_pair
from models.gan.discriminator import Discriminator, judged
from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.objective import Judges, Terms, Truth, Weights, reconstruction, require_finite, total

Batch = tuple[Evidence, Truth]
_FLOOR = 0.02
_R_T_RATE = 0.01  # r_t of one batch is noisy: what damps is its running average over about a hundred


@dataclass(frozen=True)
class GanSettings:
    """How the two networks learn.

    Attributes:
        decay_steps: length of the cosine on both learning rates, 0 for none.
        overfit_limit: r_t beyond which the generator listens to the discriminator less and less.
    """

    weights: Weights
    learning_rate: float
    decay_steps: int
    discriminator_learning_rate: float
    betas: tuple[float, float]
    ema_decay: float
    r1_every: int
    overfit_limit: float
    identity_jitter: float
    policy: Sequence[Policy]
    seed: int


class GanModule(AveragedModule):
    """Generator against discriminator; `ema` is the generator's running average, which is validated and kept."""

    ema: Generator
    r_t: Tensor

    def __init__(
        self, generator: Generator, discriminator: Discriminator, judges: Judges, settings: GanSettings
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator = generator, discriminator
        self.ema = copy.deepcopy(generator).requires_grad_(False).eval()
        self.judges = (judges,)  # in a tuple: frozen networks belong in no checkpoint
        self.settings = settings
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("r_t", torch.zeros(()))

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for each network."""
        s = self.settings
        return [
            torch.optim.Adam(self.generator.parameters(), lr=s.learning_rate, betas=s.betas),
            torch.optim.Adam(self.discriminator.parameters(), lr=s.discriminator_learning_rate, betas=s.betas),
        ]

    def training_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """One step of each network; the step's number decides its random changes, so a resumed run repeats them."""
        evidence, truth = batch
        step = int(self.steps)
        dice = torch.Generator().manual_seed(self.settings.seed + step)
        proposal = self.generator(evidence)
        restored = compose(evidence.damaged, proposal)
        terms = self._generator_step(evidence, proposal, restored, truth, dice)
        terms |= self._discriminator_step(evidence, restored.detach(), truth.target, dice)
        self.average(self.generator, self.settings.ema_decay)
        self.steps += 1
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
        )

    def _generator_step(
        self, evidence: Evidence, proposal: Tensor, restored: Tensor, truth: Truth, dice: torch.Generator
    ) -> Terms:
        (judges,), mask = self.judges, evidence.damaged.chroma_mask
        jitter = self.settings.identity_jitter * torch.randn(len(mask), 1, 2, generator=dice)
        terms = reconstruction(proposal, restored, truth, mask, judges, jitter.to(mask).expand(-1, 5, -1))
        self.discriminator.requires_grad_(False)
        terms |= self._adversarial(restored, truth.target, mask, dice)
        self.discriminator.requires_grad_(True)
        require_finite(terms, int(self.steps))
        self._descend(0, total(terms, self.settings.weights))
        return terms

    def _adversarial(self, restored: Tensor, target: Tensor, mask: Tensor, dice: torch.Generator) -> Terms:
        made, wanted, masks = augment_pair(restored, target, mask, self.settings.policy, dice)
        fake = self.discriminator.features(made, masks)
        heard = losses.damping(self.r_t, self.settings.overfit_limit)
        with torch.no_grad():
            real = self.discriminator.features(wanted, masks)
        return {
            "adversarial": heard * losses.generator_adversarial(fake[-1], judged(masks)),
            "feature_matching": losses.feature_matching(fake[:-1], real[:-1]),
        }

    def _discriminator_step(self, evidence: Evidence, restored: Tensor, target: Tensor, dice: torch.Generator) -> Terms:
        mask, settings = evidence.damaged.chroma_mask, self.settings
        real = target.clone().requires_grad_(int(self.steps) % settings.r1_every == 0)
        intact, made, masks = augment_pair(real, restored, mask, settings.policy, dice)
        real_logits, fake_logits = self.discriminator(intact, masks), self.discriminator(made, masks)
        terms = {"discriminator": losses.discriminator_adversarial(real_logits, fake_logits, judged(masks))}
        if real.requires_grad:
            terms["r1"] = losses.r1_penalty(real_logits, real)
        require_finite(terms, int(self.steps))
        lazy = settings.weights.r1 * settings.r1_every  # as often as it is skipped (Karras et al., 2020b)
        self._descend(1, terms["discriminator"] + lazy * terms.get("r1", target.new_zeros(())))
        r_t = losses.overfit_sign(real_logits, judged(masks)).detach()
        self.r_t.lerp_(r_t, _R_T_RATE)
        return terms | {"r_t": r_t, "d_real": real_logits.mean(), "d_fake": fake_logits.mean()}

    def _descend(self, index: int, loss: Tensor) -> None:
        optimizer = self.optimizers()[index]  # type: ignore[index] # two optimisers: a list
        rate = (self.settings.learning_rate, self.settings.discriminator_learning_rate)[index]
        optimizer.param_groups[0]["lr"] = rate * cosine(int(self.steps), self.settings.decay_steps)
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()

    @torch.inference_mode()
    def propose(self, evidence: Evidence) -> Tensor:
        """What the averaged generator puts everywhere."""
        proposal: Tensor = self.ema(evidence)
        return proposal

    def save(self, path: Path, image_size: int) -> None:
        """Write the averaged generator."""
        save_weights(self.ema, path, image_size)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Losses of the averaged generator on held-out portraits, and the discriminator's view of them."""
        evidence, truth = batch
        (judges,), mask = self.judges, evidence.damaged.chroma_mask
        proposal = self.ema(evidence)
        restored = compose(evidence.damaged, proposal)
        terms = reconstruction(proposal, restored, truth, mask, judges)
        loss = total(terms, self.settings.weights)
        require_finite(terms, int(self.steps))
        logits = self.discriminator(truth.target, mask)
        terms |= {"d_real": logits.mean(), "r_t": losses.overfit_sign(logits, judged(mask))}
        named = {f"validation/{name}": value for name, value in (terms | {"loss": loss}).items()}
        self.log_dict(named, batch_size=len(truth.target))


def cosine(step: int, steps: int) -> float:
    """Factor of the learning rate: half a cosine from 1 to `_FLOOR` (Loshchilov and Hutter, 2017, eq. 5)."""
    if steps == 0:
        return 1.0
    return _FLOOR + (1 - _FLOOR) * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2
