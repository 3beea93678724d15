"""Training module of the GAN: two optimisers, stepped by hand. Formulas: `models.gan.losses`, `models.objective`."""

import copy
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from models.ema import AveragedModule
from models.evidence.evidence import Evidence, compose
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.face_model.stored import StoredFaceModel
from models.gan import losses
from models.gan.augment import augment_pair
from models.gan.discriminator import Discriminator, generated_patch_mask
from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.gan.settings import GanSettings
from models.objective import Batch, Comparison, Judges, Terms, compare, require_finite, total
from models.optimisation import cosine

_R_T_RATE = 0.01  # r_t of one batch is noisy: what damps is its running average over about a hundred


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

    @classmethod
    def build(cls, settings: GanSettings, judges: Judges, start: Path | None) -> Self:
        """Build both networks, the generator from the weights at `start` if there are any.

        Raises:
            WeightsError: those weights are missing, or of another kind or architecture.
        """
        generator = Generator(**vars(settings.generator))
        if start is not None:
            generator = Restorer.load(start).generator.train()
        return cls(generator, Discriminator(**vars(settings.discriminator)), judges, settings)

    @property
    def trained(self) -> Generator:
        """The generator."""
        return self.generator

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Make Adam for each network."""
        s = self.settings
        return [
            torch.optim.Adam(self.generator.parameters(), lr=s.learning_rate, betas=s.betas),
            torch.optim.Adam(self.discriminator.parameters(), lr=s.discriminator_learning_rate, betas=s.betas),
        ]

    def training_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Make one step of each network; its number decides its random changes, so a resumed run repeats them."""
        evidence, target = batch
        (judges,), mask = self.judges, evidence.damaged.chroma_mask
        rng = torch.Generator().manual_seed(self.settings.seed + int(self.steps))
        proposal = self.generator(evidence)
        restored = compose(evidence.damaged, proposal)
        jitter = self.settings.identity_jitter * torch.randn(len(mask), 1, 2, generator=rng)
        moved = jitter.to(mask).expand(-1, 5, -1)
        terms = self._generator_step(Comparison(proposal, restored, target, mask, judges, moved), rng)
        terms |= self._discriminator_step(restored.detach(), target.image, mask, rng)
        self.average(self.generator, self.settings.ema_decay)
        self.steps += 1
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in terms.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
        )

    def _generator_step(self, pair: Comparison, rng: torch.Generator) -> Terms:
        terms = compare(pair)
        self.discriminator.requires_grad_(False)
        terms |= self._adversarial(pair.restored, pair.target.image, pair.chroma_mask, rng)
        self.discriminator.requires_grad_(True)
        require_finite(terms, int(self.steps))
        self._descend(0, total(terms, vars(self.settings.losses)))
        return terms

    def _adversarial(self, restored: Tensor, target: Tensor, mask: Tensor, rng: torch.Generator) -> Terms:
        fake, real, masks = augment_pair(restored, target, mask, self.settings.discriminator_augment, rng)
        fake_features = self.discriminator.features(fake, masks)
        with torch.no_grad():
            real_features = self.discriminator.features(real, masks)
        adversarial_weight = losses.adversarial_weight(self.r_t, self.settings.overfit_limit)
        judgement = losses.Judgement(fake_features, real_features, generated_patch_mask(masks), adversarial_weight)
        return {name: term(judgement) for name, term in losses.ADVERSARIAL_TERMS.items()}

    def _discriminator_step(self, restored: Tensor, target: Tensor, mask: Tensor, rng: torch.Generator) -> Terms:
        settings = self.settings
        real = target.clone().requires_grad_(int(self.steps) % settings.r1_every == 0)
        intact, fake, masks = augment_pair(real, restored, mask, settings.discriminator_augment, rng)
        real_logits, fake_logits = self.discriminator(intact, masks), self.discriminator(fake, masks)
        patches = generated_patch_mask(masks)
        terms = {"discriminator": losses.discriminator_adversarial(real_logits, fake_logits, patches)}
        if real.requires_grad:
            terms["r1"] = losses.r1_penalty(real_logits, real)
        require_finite(terms, int(self.steps))
        lazy = settings.losses.r1 * settings.r1_every  # as often as it is skipped (Karras et al., 2020b)
        self._descend(1, terms["discriminator"] + lazy * terms.get("r1", target.new_zeros(())))
        r_t = losses.overfit_sign(real_logits, patches).detach()
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
        """Predict every pixel by the averaged generator."""
        proposal: Tensor = self.ema(evidence)
        return proposal

    def restorer(self, image_size: int, face_model: ShapedFaceModel) -> Restorer:
        """Make a restorer of the averaged generator."""
        return Restorer(self.ema, image_size, face_model)

    def save(self, path: Path, image_size: int, face_model: StoredFaceModel) -> None:
        """Write the averaged generator, with the face model."""
        save_weights(self.ema, path, image_size, face_model)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's signature
        """Measure the averaged generator on held-out portraits, and the discriminator's output for them."""
        evidence, target = batch
        (judges,), mask = self.judges, evidence.damaged.chroma_mask
        proposal = self.ema(evidence)
        terms = compare(Comparison(proposal, compose(evidence.damaged, proposal), target, mask, judges))
        loss = total(terms, vars(self.settings.losses))
        require_finite(terms, int(self.steps))
        logits = self.discriminator(target.image, mask)
        terms |= {"d_real": logits.mean(), "r_t": losses.overfit_sign(logits, generated_patch_mask(mask))}
        named = {f"validation/{name}": value for name, value in (terms | {"loss": loss}).items()}
        self.log_dict(named, batch_size=len(target.image))
