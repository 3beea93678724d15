"""A denoiser with its weights, as it is used outside training: it can draw several restorations."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.diffusion.denoiser import Denoiser, expected, sample
from models.diffusion.noise import PosteriorNoise
from models.diffusion.settings import DiffusionShape, Sampling, Spread
from models.errors import WeightsError
from models.evidence.evidence import Damaged, Evidence, compose
from models.evidence.kept_eyes import with_eyes_of_start
from models.face.landmarkers import Landmarker
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.face_model.stored import StoredFaceModel
from models.restorer_file import load_face_model, read_restorer_header, write_restorer
from models.weight_files import Architecture, fill

KIND = "diffusion"
_SEED = 20_260_101  # `restore` takes no generator: the same picture is always restored to the same


@dataclass(frozen=True)
class Samples:
    """Mean and spread of several restorations of a batch.

    Attributes:
        restored: (N, 3, H, W) their mean in [-1, 1]; known pixels are those of the input, to the bit.
        uncertainty: (N, 1, H, W) their standard deviation, root mean square over the channels, in the range of
            pictures (0 = all agree); exactly 0 where the pixel is known, and everywhere if one was drawn.
    """

    restored: Tensor
    uncertainty: Tensor


class DiffusionRestorer:
    """Restores batches of aligned portraits, with the uncertainty of each pixel.

    Attributes:
        denoiser: in evaluation mode.
        image_size: side of the portraits that it was trained on, pixels.
        sampling: what `propose` and `restore` draw.
        face_model: gathers the evidence that the denoiser corrects.
    """

    def __init__(self, denoiser: Denoiser, image_size: int, sampling: Sampling, face_model: ShapedFaceModel) -> None:
        self.denoiser: Denoiser = denoiser.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
        self.image_size, self.sampling, self.face_model = image_size, sampling, face_model

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> "DiffusionRestorer":
        """Read weights that `save_denoiser` wrote.

        Args:
            path: a safetensors file.
            sha256: the digest that the file must have, if one is on record.

        Raises:
            WeightsError: no such file, another digest, not safetensors, or another kind or architecture.
        """
        header = read_restorer_header(path, KIND, sha256)
        return cls(load_denoiser(path), header["image_size"], Sampling(**header["sampling"]), load_face_model(path))

    def to(self, device: torch.device) -> "DiffusionRestorer":
        """Move the denoiser to another device."""
        self.denoiser.to(device)
        return self

    @property
    def network(self) -> Denoiser:
        """The denoiser."""
        return self.denoiser

    def propose(self, damaged: Damaged) -> Tensor:
        """Propose (N, 3, H, W) in [-1, 1] as `sampling` says; the start where nothing is missing, and its eyes."""
        return self.propose_from(damaged.evidence(self.face_model))

    def propose_from(self, evidence: Evidence) -> Tensor:
        """Propose as `propose` does, from evidence that is gathered already."""
        if self.sampling.samples:
            proposal = self.draws(evidence, self.sampling.samples, _fixed_rng()).mean(0)
        else:
            proposal = evidence.start + expected(self.denoiser, evidence)
        return with_eyes_of_start(evidence.start, proposal.clamp(-1, 1), self.face_model.landmarker)

    def restore(self, damaged: Damaged) -> Tensor:
        """Restore portraits (N, 3, H, W) in [-1, 1]; known pixels are those of `damaged.image`, to the bit."""
        return self.restore_from(damaged.evidence(self.face_model))

    def restore_from(self, evidence: Evidence) -> Tensor:
        """Restore as `restore` does, from evidence that is gathered already."""
        return compose(evidence.damaged, self.propose_from(evidence))

    def restore_samples(self, damaged: Damaged, samples: int, rng: torch.Generator) -> Samples:
        """Draw several restorations of each picture.

        Args:
            damaged: the batch.
            samples: at least 1; from 2 on there is an uncertainty.
            rng: source of the noise, on the CPU.
        """
        evidence = damaged.evidence(self.face_model)
        return summarise_draws(evidence, self.draws(evidence, samples, rng), self.face_model.landmarker)

    def draws(self, evidence: Evidence, samples: int, rng: torch.Generator) -> Tensor:
        """Draw (samples, N, 3, H, W) proposals, not yet composed with the known pixels.

        All pictures of a batch get the same white noise, so that what becomes of one does not depend on its neighbours.
        """
        noise = PosteriorNoise.of(evidence, self.face_model, self.denoiser.shape.spread)
        mean = expected(self.denoiser, evidence)
        drawn = (noise.draw(noise.white(rng, shared=True)) for _ in range(samples))
        return torch.stack([sample(self.denoiser, evidence, mean, one, self.sampling) for one in drawn])


def load_denoiser(path: Path) -> Denoiser:
    """Read the denoiser alone, in evaluation mode, whatever face model it corrects.

    Raises:
        WeightsError: no such file, another kind, weights that do not fit its header, or one of stationary noise.
    """
    stored = read_restorer_header(path, KIND)["shape"]
    if "width" not in stored:
        remedy = "train it anew, or restore with the release that trained it"
        raise WeightsError(f"a denoiser with noise from the face model in {path}", "one of stationary noise", remedy)
    denoiser = Denoiser(DiffusionShape(**(stored | {"spread": Spread(**stored["spread"])})))
    fill(denoiser, path)
    return denoiser.eval()


def summarise_draws(evidence: Evidence, proposals: Tensor, landmarker: Landmarker) -> Samples:
    """Combine draws (samples, N, 3, H, W) of one batch into their mean, with the start's eyes, and their spread."""
    damaged = evidence.damaged
    drawn = torch.stack([compose(damaged, proposal) for proposal in proposals])
    correction = 1 if len(drawn) > 1 else 0
    spread = (drawn - drawn[:1]).var(0, correction=correction).mean(1, keepdim=True).sqrt()
    mean = with_eyes_of_start(evidence.start, proposals.mean(0).clamp(-1, 1), landmarker)
    return Samples(compose(damaged, mean), spread)


def save_denoiser(
    denoiser: Denoiser,
    path: Path,
    image_size: int,
    sampling: Sampling,
    face_model: StoredFaceModel | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a model as `models.gan.restorer.save_weights` does, with how to sample."""
    header: Architecture = {
        "kind": KIND,
        "shape": asdict(denoiser.shape),
        "image_size": image_size,
        "sampling": asdict(sampling),
    }
    write_restorer(denoiser.state_dict(), header, path, face_model, dtype)


def _fixed_rng() -> torch.Generator:
    return torch.Generator().manual_seed(_SEED)
