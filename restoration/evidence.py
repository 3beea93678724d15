"""The evidence of all damaged faces of one photo, gathered once: for references, for the router and for restoring."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence, compose, gather
from models.evidence.reference_photo import Reference
from models.face.landmarks import head_pose
from models.face_model.gaussian import Completion
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.identity.encoders import IdentityEncoder
from models.images import Image, mask_to_tensor, to_tensor
from models.runtime.budget import UNLIMITED, Budget
from models.runtime.spans import span
from pipeline.config.restore import ReferenceUse
from restoration.faces import FoundFace
from restoration.photo.geometry import cut
from restoration.references import Candidate, KnownFace, assign
from restoration.risk import FaceMaps, region_map
from restoration.types import ReferenceNote


@dataclass(frozen=True)
class Gathered:
    """Of the damaged faces of one photo, in their order.

    `references`: the photo that serves each, or None. `notes`: what became of each photo.
    """

    evidence: Evidence
    references: list[KnownFace | None]
    notes: list[ReferenceNote]


@torch.inference_mode()
@span("evidence")
def gather_faces(
    plain: Image,
    faces: Sequence[FoundFace],
    known: Sequence[Sequence[KnownFace]],
    rules: ReferenceUse,
    face_model: ShapedFaceModel,
    matcher: IdentityEncoder,
    budget: Budget = UNLIMITED,
) -> Gathered:
    """Complete the faces, find out which reference is whose, and gather the evidence.

    Args:
        plain: the classically filled photo (H, W, 3).
        faces: at least one, found in it.
        known: the faces of each reference photo.
        rules: when a reference is believed.
        face_model: for pictures of any side.
        matcher: finds out whom a reference shows.
        budget: is checked from face to face.

    Raises:
        Stopped: the budget is spent.
    """
    batch = damaged_batch(plain, faces)
    completion = _completion(batch, face_model, budget)
    budget.check()
    alike = _alike(compose(batch, completion.picture), faces, known, matcher)
    chosen, notes = assign([_candidate(face) for face in faces], known, alike, rules)
    return Gathered(gather(_with_references(batch, chosen), face_model, completion), chosen, notes)


def _completion(batch: Damaged, face_model: ShapedFaceModel, budget: Budget) -> Completion:
    model, done = face_model.at(batch.image.shape[-1]), []
    for face in range(len(batch.image)):
        budget.check()
        one = slice(face, face + 1)
        done.append(model.complete(batch.image[one], batch.hole_mask[one], batch.chroma_mask[one]))
    return Completion(torch.cat([one.picture for one in done]), torch.cat([one.certainty for one in done]))


def damaged_batch(plain: Image, faces: Sequence[FoundFace]) -> Damaged:
    """All faces of one photo as the batch that a restorer takes.

    Cut from the classically filled copy: interpolation near a hole then mixes in nothing of what the hole holds.
    """
    return Damaged(
        image=to_tensor(np.stack([cut(face.frame, plain) for face in faces])),
        hole_mask=mask_to_tensor(np.stack([face.hole for face in faces])),
        chroma_mask=mask_to_tensor(np.stack([face.chroma for face in faces])),
        coverage=torch.tensor([face.measures.coverage for face in faces]),
        missing_features=torch.tensor([face.measures.missing_features for face in faces]),
    )


def face_maps(gathered: Gathered, index: int, face: FoundFace, witness: float) -> FaceMaps:
    """What the router looks at, for one of the faces; `witness`: how far a pixel that the reference shows counts."""
    evidence = gathered.evidence
    return FaceMaps(
        hole=face.lost,
        chroma=face.colourless,
        certainty=evidence.certainty[index, 0].numpy(),
        witness=(witness * evidence.reference_mask[index, 0]).numpy(),
        region=region_map(face.landmarks, face.frame.size),
    )


def some(evidence: Evidence, indices: Sequence[int]) -> Evidence:
    """The evidence of some of the faces."""
    damaged = evidence.damaged
    reference = damaged.reference and Reference(**_rows(damaged.reference, indices))
    return Evidence(**_rows(evidence, indices), damaged=Damaged(**_rows(damaged, indices), reference=reference))


def _rows(batch: object, indices: Sequence[int]) -> dict[str, Tensor]:
    return {name: value[list(indices)] for name, value in vars(batch).items() if isinstance(value, Tensor)}


def _alike(
    start: Tensor, faces: Sequence[FoundFace], known: Sequence[Sequence[KnownFace]], matcher: IdentityEncoder
) -> npt.NDArray[np.float32]:
    """(faces, faces of all reference photos) cosines."""
    shown = [face for photo in known for face in photo]
    if not shown:
        return np.zeros((len(faces), 0), np.float32)
    ours = matcher.embed(start, _points(faces))
    theirs = matcher.embed(to_tensor(np.stack([face.image for face in shown])), _points(shown))
    alike: npt.NDArray[np.float32] = (ours @ theirs.T).numpy()
    return alike


def _points(faces: Sequence[FoundFace | KnownFace]) -> Tensor:
    return torch.from_numpy(np.stack([np.asarray(face.points, np.float32) for face in faces]))


def _candidate(face: FoundFace) -> Candidate:
    return Candidate(head_pose(face.landmarks, face.frame.size), face.measures.missing_features)


def _with_references(batch: Damaged, chosen: Sequence[KnownFace | None]) -> Damaged:
    if not any(chosen):
        return batch
    nobody = np.zeros((*batch.image.shape[-2:], 3), np.uint8)
    photos = to_tensor(np.stack([nobody if face is None else face.image for face in chosen]))
    present = torch.tensor([float(face is not None) for face in chosen])
    return replace(batch, reference=Reference(photos, present))
