"""Score restorations: identity, perceptual distance and pixel metrics, by whole batches."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.errors import DataError
from models.evidence.evidence import Damaged
from models.identity.encoders import (
    IdentityEncoder,
    check_independence,
    encoder_sha256,
    independent_encoder,
    similarity,
    training_encoder,
)
from models.metrics.image_quality import ms_ssim, pixel_mse, psnr
from models.metrics.lpips import perceptual_distance
from pipeline.config.identity import IdentityParams
from pipeline.evaluation.test_set import Case, point_batch, target_batch

Role = Literal["training", "independent"]
ROLES: tuple[Role, ...] = get_args(Role)

MAX_PSNR = 100.0
"""Decibels given to a perfect copy, whose ratio is infinite."""
_ENOUGH_PORTRAITS = 2000


@dataclass(frozen=True)
class Judges:
    """The encoders and metrics by which restorations are scored."""

    encoders: dict[Role, IdentityEncoder]
    perceptual: nn.Module
    device: torch.device

    @classmethod
    def load(cls, device: torch.device, identity: IdentityParams) -> "Judges":
        """Load the encoders that the parameters name, and LPIPS.

        Raises:
            ConfigError: one weight file has both roles.
            WeightsError: a package file or a pack is missing or changed.
        """
        check_independence(identity.training, identity.judge)
        encoders: dict[Role, IdentityEncoder] = {
            "training": training_encoder(identity.training),
            "independent": independent_encoder(identity.judge),
        }
        for encoder in encoders.values():
            if isinstance(encoder, nn.Module):
                encoder.to(device)
        return cls(encoders, perceptual_distance("alex").to(device), device)

    @torch.inference_mode()
    def embed(self, images: Tensor, points: Tensor) -> dict[Role, Tensor]:
        """Embed faces (N, 3, H, W) at their points (N, 5, 2), by role: (N, dim) on the CPU."""
        return {role: self.encoders[role].embed(images, points).float().cpu() for role in ROLES}


def encoder_digests(identity: IdentityParams) -> dict[Role, str]:
    """Look up the SHA-256 of the encoders' weights, by role.

    Raises:
        WeightsError: a pack is missing.
    """
    return {"training": encoder_sha256(identity.training), "independent": encoder_sha256(identity.judge)}


@dataclass(frozen=True)
class Targets:
    """Embeddings of the intact portraits, and from which similarity on two pictures show one person.

    Attributes:
        index: row of each portrait in `embeddings`.
        identities: identity of each row.
        embeddings: (portraits, dim) by role.
        thresholds: similarity by role.
    """

    index: dict[str, int]
    identities: list[str]
    embeddings: dict[Role, Tensor]
    thresholds: dict[Role, float]

    def of(self, cases: Sequence[Case], role: Role) -> Tensor:
        """Select embeddings (N, dim) of the cases' portraits."""
        return self.embeddings[role][[self.index[case.portrait_id] for case in cases]]

    def __reduce__(self) -> "tuple[Callable[..., Targets], tuple[Any, ...]]":
        """Pickle embeddings as arrays: tensors would travel as shared memory, which ends with its owner."""
        arrays = {role: embedded.numpy() for role, embedded in self.embeddings.items()}
        return _targets_of, (self.index, self.identities, arrays, self.thresholds)

    def only(self, portrait_ids: Iterable[str]) -> "Targets":
        """Copy what a shard needs: these portraits, and the thresholds."""
        names = list(dict.fromkeys(portrait_ids))
        rows = [self.index[name] for name in names]
        identities = [self.identities[row] for row in rows]
        embeddings = {role: embedded[rows] for role, embedded in self.embeddings.items()}
        return Targets({name: row for row, name in enumerate(names)}, identities, embeddings, self.thresholds)


def _targets_of(
    index: dict[str, int],
    identities: list[str],
    arrays: dict[Role, npt.NDArray[np.float32]],
    thresholds: dict[Role, float],
) -> Targets:
    return Targets(index, identities, {role: torch.from_numpy(rows) for role, rows in arrays.items()}, thresholds)


def gather_targets(parts: Iterable[Targets], false_match_rate: float) -> Targets:
    """Join embeddings of intact portraits, and set the recognition thresholds.

    Raises:
        DataError: fewer than two identities, so that there is no impostor to tell apart.
    """
    listed = list(parts)
    names = [name for part in listed for name in part.index]
    identities = [identity for part in listed for identity in part.identities]
    embeddings = {role: torch.cat([part.embeddings[role] for part in listed]) for role in ROLES}
    thresholds = {r: recognition_threshold(embeddings[r], identities, false_match_rate) for r in ROLES}
    return Targets({name: row for row, name in enumerate(names)}, identities, embeddings, thresholds)


def embed_targets(cases: Sequence[Case], judges: Judges, batch_size: int) -> Targets:
    """Embed the intact portraits of `cases`, each once; thresholds need those of all, see `gather_targets`."""
    parts: list[dict[Role, Tensor]] = []
    for start in range(0, len(cases), batch_size):
        batch = cases[start : start + batch_size]
        parts.append(judges.embed(target_batch(batch, judges.device), point_batch(batch, judges.device)))
    names, identities = [case.portrait_id for case in cases], [case.identity for case in cases]
    embeddings = {role: torch.cat([part[role] for part in parts]) for role in ROLES}
    return Targets({name: row for row, name in enumerate(names)}, identities, embeddings, {})


def recognition_threshold(embeddings: Tensor, identities: Sequence[str], false_match_rate: float) -> float:
    """Compute the similarity that only a share `false_match_rate` of pairs of different people exceeds.

    Args:
        embeddings: (N, dim) of intact portraits, of unit length.
        identities: who is in each.
        false_match_rate: share of impostor pairs above the threshold.

    Beyond 2,000 portraits every k-th is taken: two million pairs are enough, and memory stays bounded.

    Raises:
        DataError: fewer than two identities.
    """
    step = -(-len(identities) // _ENOUGH_PORTRAITS)
    some, names = embeddings[::step], np.asarray(identities[::step])
    first, second = np.triu_indices(len(names), k=1)
    impostors = names[first] != names[second]
    if not impostors.any():
        raise DataError("at least two identities in the test split", "fewer", "ingest more portraits")
    similarities = (some @ some.T).numpy()[first[impostors], second[impostors]]
    return float(np.quantile(similarities, 1.0 - false_match_rate, method="higher"))


@torch.inference_mode()
def score(restored: Tensor, target: Tensor, damaged: Damaged, perceptual: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """Score without identities, each (N,): lpips, ms_ssim, psnr, pixel_mse, known_pixels_changed.

    All over the whole picture, known pixels included.
    """
    columns = {
        "lpips": perceptual(restored, target).flatten(),
        "ms_ssim": ms_ssim(restored, target),
        "psnr": psnr(restored, target).clamp(max=MAX_PSNR),
        "pixel_mse": pixel_mse(restored, target),
        "known_pixels_changed": known_pixels_changed(restored, damaged),
    }
    return {name: values.cpu().numpy() for name, values in columns.items()}


def known_pixels_changed(restored: Tensor, damaged: Damaged) -> Tensor:
    """Count known pixels (neither luma nor chroma missing) that are not the same bits: (N,) int64."""
    changed = (restored != damaged.image).any(dim=1, keepdim=True)
    return (changed & (damaged.chroma_mask < 0.5)).sum(dim=(1, 2, 3))


def recognise(embeddings: dict[Role, Tensor], cases: Sequence[Case], targets: Targets) -> dict[str, npt.NDArray[Any]]:
    """Score identity, each (N,), by role: similarity (cosine), distance (1 - cosine), recognised (bool)."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for role in ROLES:
        alike = similarity(embeddings[role], targets.of(cases, role)).numpy()
        columns[f"identity_similarity_{role}"] = alike
        columns[f"identity_distance_{role}"] = 1.0 - alike
        columns[f"recognised_{role}"] = alike >= targets.thresholds[role]
    return columns
