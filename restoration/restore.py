"""Restore one damaged photo of any size: find its faces, weigh the evidence, decide, restore, paste into the hole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from pipeline.config.restore import RestoreParams
from restoration.beside_face import beliefs, beside_faces, mix_in
from restoration.evidence import Gathered, face_maps, gather_faces, some
from restoration.faces import SAME_FACE, FoundFace, damaged_faces, overlap
from restoration.modes import RequestedMode
from restoration.outcome import DamagedPhoto, Job, ThinFace, outcome, untouched_pixels
from restoration.photo.classical import classical_photo, grey, is_colourless, keep_luma
from restoration.photo.geometry import cut, owners, paste_all
from restoration.photo.head_colours import Head, colour_between, colour_heads, head_of
from restoration.photo.inpainter import load_inpainter
from restoration.photo.inpainter_fill import fill_with_inpainter
from restoration.photo.mask_edges import grow_to_edges
from restoration.photo.orientation import Looking, looking_upright
from restoration.photo.texture_fill import fill_with_texture
from restoration.photo.thin_fill import fill_thin
from restoration.realign import aligned_again
from restoration.references import KnownFace, assign, known_faces
from restoration.risk import trust
from restoration.routing import route
from restoration.similarity import likeness
from restoration.thin import thin_damage, thin_risk
from restoration.types import FaceRestorer, LikenessFigures, Restoration, Tools, load_tools


def restore_photo(
    image: Image,
    hole_mask: Mask,
    restorer: FaceRestorer,
    mode: RequestedMode,
    params: RestoreParams,
    references: Sequence[Image] = (),
    *,
    chroma_mask: Mask | None = None,
    tools: Tools | None = None,
    always_return: bool = False,
    strength: float = 1.0,
) -> Restoration:
    """Restore `image` (H, W, 3) where `hole_mask` (H, W) says that it is damaged. A missing face is a value, no error.

    Args:
        image: the damaged photo; what its missing pixels hold does not matter, colourless ones hold their luma.
        hole_mask: missing pixels, and so is the rim into which a soft or compressed edge bled. With mode `colorize`
            their colour alone is taken as missing, their luma as known.
        restorer: works on aligned faces of side `image_size`.
        mode: `auto` decides face by face and keeps the limits of `params`; the others override them.
        params: limits of the router, and when a reference is believed.
        references: intact photos (H, W, 3) of the people in it, evidence where they are believed.
        chroma_mask: pixels whose colour is missing, where that is more than the holes.
        tools: detector, landmarks, encoders; loaded when absent.
        always_return: give back what can be filled, also where no face is found or all are refused; for a mask that
            was found, in which large pieces over faces were left out beforehand.
        strength: share of what the face model fills, 0..1; the rest is the classical fill.
    """
    tools = tools or load_tools(params.min_detector_score)
    size = restorer.image_size
    scene = _look(_damage(image, hole_mask, chroma_mask, mode), tools, size, params)
    scene, thin_faces = _without_thin(scene, tools, size, params)
    damage, plain, count = scene.damage, scene.plain, scene.face_count
    turned = replace(tools, detector=scene.looking.detector)
    found = aligned_again(plain, scene.faces, damage.hole, damage.chroma, turned, params.context)
    known = known_faces(references, tools, size)
    if not found:
        notes = assign([], known, np.zeros((0, sum(map(len, known))), np.float32), params.reference)[1]
        nobody = np.full(damage.hole.shape, -1, np.int16)
        returned = not damage.chroma.any() or ((always_return or count) and _can_be_filled(damage))
        filled = _coloured(damage, _with_texture(scene, nobody, params), []) if returned else None
        return outcome(filled, damage, count, [], nobody, notes, thin_faces)
    gathered = gather_faces(plain, found, known, params.reference)
    jobs = [_job(index, face, gathered, mode, params, scene.looking.doubt) for index, face in enumerate(found)]
    owner = owners([face.frame for face in found], damage.hole.shape)
    if all(job.refused for job in jobs) and not always_return:
        return outcome(None, damage, count, jobs, np.full_like(owner, -1), gathered.notes, thin_faces)
    background = owner.copy()
    if params.beside_face > 0:
        background[beside_faces([job.found for job in jobs if not job.refused], owner.shape)] = -1
    canvas = _with_texture(scene, background, params)
    filled = _filled(damage, canvas, jobs, owner, gathered, restorer, params.beside_face, strength)
    restored = _coloured(damage, filled, _heads(jobs, owner))
    compared = [job if job.refused else job.compared(_likeness(job, restored, plain, known, tools)) for job in jobs]
    bare = untouched_pixels(damage, jobs, owner)
    restored[bare] = image[bare]
    return outcome(restored, damage, count, compared, owner, gathered.notes, thin_faces)


@dataclass(frozen=True, eq=False)
class _Scene:
    """A damaged photo, its classically filled copy (H, W, 3), and the faces: all, and those that damage touches."""

    damage: DamagedPhoto
    plain: Image
    looking: Looking
    face_count: int
    faces: list[FoundFace]


def _look(damage: DamagedPhoto, tools: Tools, size: int, params: RestoreParams) -> _Scene:
    plain = classical_photo(damage.image, damage.hole, damage.chroma)
    looking = looking_upright(tools.detector, plain, damage.image, params.min_certain_score)
    turned = replace(tools, detector=looking.detector)
    count, faces = damaged_faces(damage.image, plain, damage.hole, damage.chroma, turned, size, params)
    return _Scene(damage, plain, looking, count, faces)


def _without_thin(scene: _Scene, tools: Tools, size: int, params: RestoreParams) -> tuple[_Scene, list[ThinFace]]:
    """Fill what is thin from both sides and look again; with the faces that have no other damage."""
    damage = scene.damage
    thin = thin_damage(damage.hole, scene.faces, params.thin)
    if not thin.any():
        return scene, []
    filled = fill_thin(scene.plain, thin)
    image = damage.image.copy()
    image[thin] = grey(filled[thin]) if is_colourless(image, ~damage.chroma) else filled[thin]
    again = _look(DamagedPhoto(image, damage.hole & ~thin, damage.chroma & ~thin, thin), tools, size, params)
    return again, [
        ThinFace(face, thin_risk(face, params.risk_weights))
        for face in scene.faces
        if not any(overlap(face.face, other.face) > SAME_FACE for other in again.faces)
    ]


def _with_texture(scene: _Scene, owner: npt.NDArray[np.int16], params: RestoreParams) -> Image:
    """Give the classically filled photo texture where wide damage belongs to no face, or the user's own network's."""
    wide = scene.damage.hole & (owner < 0)
    if not wide.any():
        return scene.plain
    if params.inpainter is not None:
        return fill_with_inpainter(scene.plain, wide, scene.damage.hole, load_inpainter(params.inpainter))
    faces = [face.box for face in scene.looking.detector.detect(scene.plain)]
    return fill_with_texture(scene.plain, wide, scene.damage.hole, faces)


def _damage(image: Image, hole_mask: Mask, chroma_mask: Mask | None, mode: RequestedMode) -> DamagedPhoto:
    """Holes reach as far as their damage bled; chroma contains hole; colour-only work has no hole."""
    hole = hole_mask if mode == "colorize" else grow_to_edges(image, hole_mask)
    chroma = hole if chroma_mask is None else hole | chroma_mask
    nothing = np.zeros_like(hole)
    return DamagedPhoto(image, nothing if mode == "colorize" else hole, chroma, nothing)


def _job(
    index: int, face: FoundFace, gathered: Gathered, mode: RequestedMode, params: RestoreParams, doubt: str
) -> Job:
    maps = face_maps(gathered, index, face, params.reference.witness)
    decision = route(face.measures, maps, mode, params, face.face.score, doubt)
    return Job(face, decision, trust(maps), gathered.references[index])


def _filled(
    damage: DamagedPhoto,
    plain: Image,
    jobs: Sequence[Job],
    owner: npt.NDArray[np.int16],
    gathered: Gathered,
    restorer: FaceRestorer,
    band: float,
    strength: float,
) -> Image:
    """Give the classically filled photo restored faces; pixels that shall stay as they came keep the classical fill.

    Beside a face that fill stays as well, where the band around the hole speaks for it.
    """
    accepted = [index for index, job in enumerate(jobs) if not job.refused]
    if not accepted:
        return plain
    evidence = some(gathered.evidence, accepted)
    restored = restorer.restore_from(evidence)
    bare = untouched_pixels(damage, jobs, owner)
    frames = [jobs[index].found.frame for index in accepted]
    domains = [damage.chroma & (owner == index) & ~bare for index in accepted]
    full = paste_all(frames, plain, restored, domains, damage.chroma, bare)
    shares = beliefs(evidence.damaged, [jobs[index].found for index in accepted], band)
    for frame, share, domain in zip(frames, shares, domains, strict=True):
        mix_in(full[frame.window], plain[frame.window], (domain & damage.hole)[frame.window], frame, share)
    return full if strength == 1 else np.asarray(cv2.addWeighted(full, strength, plain, 1 - strength, 0), np.uint8)


def _coloured(damage: DamagedPhoto, filled: Image, heads: Sequence[Head]) -> Image:
    """A copy that keeps known luma, and stays without colour where the photo has none."""
    canvas = filled.copy()
    if is_colourless(damage.image, ~damage.chroma):
        canvas[damage.hole] = grey(canvas[damage.hole])
    faded = damage.chroma & ~damage.hole
    if not faded.any():
        return canvas
    canvas = keep_luma(damage.image, canvas, faded)
    spread = colour_between if _has_colour(damage) else colour_heads
    return keep_luma(damage.image, spread(canvas, heads, faded), faded)


def _has_colour(damage: DamagedPhoto) -> bool:
    """Whether colour is known anywhere."""
    known = ~damage.chroma
    return bool(known.any()) and not is_colourless(damage.image, known)


def _can_be_filled(damage: DamagedPhoto) -> bool:
    """Whether surroundings tell anything of what is missing: of colour nothing, where there is none."""
    return bool(damage.hole.any()) or _has_colour(damage)


def _heads(jobs: Sequence[Job], owner: npt.NDArray[np.int16]) -> list[Head]:
    """The faces whose colours the restorer told, each where it lies."""
    return [
        head_of(job.found.frame, job.found.landmarks, owner == index)
        for index, job in enumerate(jobs)
        if not job.refused
    ]


def _likeness(
    job: Job, restored: Image, plain: Image, known: Sequence[Sequence[KnownFace]], tools: Tools
) -> LikenessFigures:
    """Figures of one face; compared with the reference that served it, else with the first that shows a face."""
    frame, points = job.found.frame, job.found.points
    shown = job.reference or next((face for photo in known for face in photo), None)
    reference = None if shown is None else (shown.image, shown.points)
    return likeness(tools.encoders, cut(frame, restored), cut(frame, plain), points, reference, tools.observe)
