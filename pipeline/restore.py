"""Restore one damaged photo of any size: find its faces, decide, restore each, paste into the hole only."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from models.evidence import Damaged
from models.images import Image, Mask, mask_to_tensor, to_tensor
from pipeline.classical import classical_photo, grey, is_colourless, keep_luma
from pipeline.config.production import RestoreParams
from pipeline.found_faces import FoundFace, damaged_faces
from pipeline.likeness_figures import likeness, reference_face
from pipeline.photo import cut, owners, paste
from pipeline.restoration import FaceRestorer, Restoration, Tools, load_tools
from pipeline.restore_outcome import DamagedPhoto, Job, outcome, untouched_pixels
from pipeline.routing import RequestedMode, route


def restore_photo(
    image: Image,
    hole_mask: Mask,
    restorer: FaceRestorer,
    mode: RequestedMode,
    params: RestoreParams,
    reference: Image | None = None,
    *,
    chroma_mask: Mask | None = None,
    tools: Tools | None = None,
) -> Restoration:
    """Restore `image` (H, W, 3) where `hole_mask` (H, W) says that it is damaged. A missing face is a value, no error.

    Args:
        image: the damaged photo; what its missing pixels hold does not matter, colourless ones hold their luma.
        hole_mask: missing pixels. With mode `colorize` their colour alone is taken as missing, their luma as known.
        restorer: works on aligned faces of side `image_size`.
        mode: `auto` decides face by face and keeps the limits of `params`; the others override them.
        params: limits of the router.
        reference: an intact photo of the same person, for identity figures only; it never changes the result.
        chroma_mask: pixels whose colour is missing, where that is more than the holes.
        tools: detector, landmarks, encoders; loaded when absent.
    """
    tools = tools or load_tools(params.min_detector_score)
    damage = _damage(image, hole_mask, chroma_mask, mode)
    plain = classical_photo(image, damage.hole, damage.chroma)
    size = restorer.image_size
    count, found = damaged_faces(image, plain, damage.hole, damage.chroma, tools, size, params)
    jobs = [Job(face, route(face.measures, mode, params, face.face.score)) for face in found]
    if count == 0 or (jobs and all(job.refused for job in jobs)):
        return outcome(None, damage, count, jobs, np.full(damage.hole.shape, -1, np.int16))
    owner = owners([job.found.frame for job in jobs], damage.hole.shape)
    restored = _filled(damage, plain, jobs, owner, restorer)
    wanted = None if reference is None else reference_face(reference, tools.detector, size)
    compared = [job if job.refused else _compared(job, restored, plain, wanted, tools) for job in jobs]
    return outcome(restored, damage, count, compared, owner)


def _damage(image: Image, hole_mask: Mask, chroma_mask: Mask | None, mode: RequestedMode) -> DamagedPhoto:
    """Chroma contains hole; colour-only work has no hole."""
    chroma = hole_mask if chroma_mask is None else hole_mask | chroma_mask
    return DamagedPhoto(image, np.zeros_like(hole_mask) if mode == "colorize" else hole_mask, chroma)


def _filled(
    damage: DamagedPhoto, plain: Image, jobs: Sequence[Job], owner: npt.NDArray[np.int16], restorer: FaceRestorer
) -> Image:
    """The photo with restored faces, the rest of the hole classically filled, refused faces as they came."""
    canvas = plain.copy()
    accepted = [index for index, job in enumerate(jobs) if not job.refused]
    if accepted:
        faces = [jobs[index].found for index in accepted]
        restored = restorer.restore(_batch(plain, faces)).add(1).mul(127.5).permute(0, 2, 3, 1).cpu().numpy()
        for index, face, aligned in zip(accepted, faces, restored, strict=True):
            canvas = paste(face.frame, canvas, aligned, damage.chroma & (owner == index), damage.chroma)
    if is_colourless(damage.image, ~damage.chroma):
        canvas[damage.hole] = grey(canvas[damage.hole])
    canvas = keep_luma(damage.image, canvas, damage.chroma & ~damage.hole)
    untouched = untouched_pixels(damage, jobs, owner)
    canvas[untouched] = damage.image[untouched]
    return canvas


def _batch(plain: Image, faces: Sequence[FoundFace]) -> Damaged:
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


def _compared(
    job: Job, restored: Image, plain: Image, reference: tuple[Image, npt.NDArray[np.float32]] | None, tools: Tools
) -> Job:
    frame, points = job.found.frame, job.found.points
    figures = likeness(tools.encoders, cut(frame, restored), cut(frame, plain), points, reference)
    return Job(job.found, job.decision, figures)
