"""Wiring of the adversarial training: two optimisers, by hand; all formulas stand in `losses` and `objective`."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models import losses
from models.augment import Policy, augment
from models.discriminator import Discriminator
from models.evidence import Evidence, compose
from models.generator import Generator
from models.lightning_ready import L
from models.objective import Judges, Terms, Truth, Weights, reconstruction, require_finite, total

Batch = tuple[Evidence, Truth]


@dataclass(frozen=True)
class GanSettings:
    """How the two networks learn."""

    weights: Weights
    learning_rate: float
    discriminator_learning_rate: float
    betas: tuple[float, float]
    ema_decay: float
    r1_every: int
    policy: Sequence[Policy]
    seed: int


class GanModule(L.LightningModule):
    """Generator against discriminator; `ema` is the generator's running average, which is validated and kept."""

    steps: Tensor

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
        self._average()
        self.steps += 1
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()}, on_step=False, on_epoch=True)

    def _generator_step(
        self, evidence: Evidence, proposal: Tensor, restored: Tensor, truth: Truth, dice: torch.Generator
    ) -> Terms:
        (judges,), mask = self.judges, evidence.damaged.chroma_mask
        terms = reconstruction(proposal, restored, truth, mask, judges)
        self.discriminator.requires_grad_(False)
        terms["adversarial"] = losses.generator_adversarial(self._judge(restored, mask, dice))
        self.discriminator.requires_grad_(True)
        require_finite(terms, int(self.steps))
        self._descend(0, total(terms, self.settings.weights))
        return terms

    def _discriminator_step(self, evidence: Evidence, restored: Tensor, target: Tensor, dice: torch.Generator) -> Terms:
        mask, settings = evidence.damaged.chroma_mask, self.settings
        real = target.clone().requires_grad_(int(self.steps) % settings.r1_every == 0)
        real_logits, fake_logits = self._judge(real, mask, dice), self._judge(restored, mask, dice)
        terms = {"discriminator": losses.discriminator_adversarial(real_logits, fake_logits)}
        if real.requires_grad:
            terms["r1"] = losses.r1_penalty(real_logits, real)
        require_finite(terms, int(self.steps))
        lazy = settings.weights.r1 * settings.r1_every  # as often as it is skipped (Karras et al., 2020b)
        self._descend(1, terms["discriminator"] + lazy * terms.get("r1", target.new_zeros(())))
        return terms | {"r_t": losses.overfit_sign(real_logits), "d_real": real_logits.mean()}

    def _judge(self, images: Tensor, mask: Tensor, dice: torch.Generator) -> Tensor:
        logits: Tensor = self.discriminator(*augment(images, mask, self.settings.policy, dice))
        return logits

    def _descend(self, index: int, loss: Tensor) -> None:
        optimizer = self.optimizers()[index]  # type: ignore[index]
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()

    @torch.no_grad()
    def _average(self) -> None:
        for kept, new in zip(self.ema.parameters(), self.generator.parameters(), strict=True):
            kept.lerp_(new, 1 - self.settings.ema_decay)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Losses of the averaged generator on held-out portraits, and the discriminator's view of them."""
        evidence, truth = batch
        (judges,), mask = self.judges, evidence.damaged.chroma_mask
        proposal = self.ema(evidence)
        restored = compose(evidence.damaged, proposal)
        terms = reconstruction(proposal, restored, truth, mask, judges)
        loss = total(terms, self.settings.weights)
        require_finite(terms, int(self.steps))
        terms["d_real"] = self.discriminator(truth.target, mask).mean()
        named = {f"validation/{name}": value for name, value in (terms | {"loss": loss}).items()}
        self.log_dict(named, batch_size=len(truth.target))
