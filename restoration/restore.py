"""Restore one damaged photo of any size: find its faces, weigh the evidence, decide, restore, paste into the hole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from models.images import Image, Mask
from models.runtime.budget import Budget
from models.runtime.memory import give_back_memory
from models.runtime.spans import span
from pipeline.config.restore import RestoreParams
from restoration.beside_face import beliefs, beside_face, mix_in
from restoration.evidence import Gathered, face_maps, gather_faces, some
from restoration.faces import SAME_FACE, FoundFace, damaged_faces, in_batches, overlap
from restoration.modes import RequestedMode
from restoration.outcome import DamagedPhoto, Job, ThinFace, outcome, untouched_pixels
from restoration.photo.classical import classical_photo, is_colourless, keep_luma
from restoration.photo.colour.head_colours import Head, colour_between, colour_heads, head_of
from restoration.photo.colour.keep_tone import keep_tone
from restoration.photo.geometry import cut, paste_all
from restoration.photo.inpainter import load_inpainter
from restoration.photo.inpainter_fill import fill_with_inpainter
from restoration.photo.mask_edges import grow_to_edges
from restoration.photo.orientation import Looking, looking_upright
from restoration.photo.owners import NOBODY, Owners
from restoration.photo.texture_fill import fill_with_texture, on_faces
from restoration.photo.thin_fill import fill_thin_in
from restoration.photo.windows import picked, put, without
from restoration.realign import aligned_again
from restoration.references import KnownFace, assign, known_faces
from restoration.risk import trust
from restoration.routing import route
from restoration.similarity import likeness
from restoration.thin import thin_damage, thin_risk
from restoration.types import FaceRestorer, LikenessFigures, Restoration, Tools


def restore_photo(
    image: Image,
    hole_mask: Mask,
    restorer: FaceRestorer,
    mode: RequestedMode,
    params: RestoreParams,
    references: Sequence[Image] = (),
    *,
    tools: Tools,
    chroma_mask: Mask | None = None,
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
        tools: detector, landmarks, encoders.
        chroma_mask: pixels whose colour is missing, where that is more than the holes.
        always_return: give back what can be filled, also where no face is found or all are refused; for a mask that
            was found, in which large pieces over faces were left out beforehand.
        strength: share of what the face model fills, 0..1; the rest is the classical fill.

    Raises:
        DataError: damage on more faces than `tools.budget` admits.
        Stopped: that budget is spent.
    """
    size, budget = restorer.image_size, tools.budget
    scene = _look(_damage(image, hole_mask, chroma_mask, mode, budget), tools, size, params)
    scene, thin_faces = _without_thin(scene, tools, size, params)
    damage, plain, count = scene.damage, scene.plain, scene.face_count
    turned = replace(tools, detector=scene.looking.detector)
    found = aligned_again(plain, scene.faces, damage.hole, damage.chroma, turned, restorer.face_model, params.context)
    known = known_faces(references, tools, size)
    if not found:
        notes = assign([], known, np.zeros((0, sum(map(len, known))), np.float32), params.reference)[1]
        nobody = Owners.of([], damage.chroma)
        returned = not damage.chroma.any() or ((always_return or count) and _can_be_filled(damage))
        filled = (
            _coloured(damage, _with_texture(scene, [], nobody, params, budget), [], nobody, budget)
            if returned
            else None
        )
        drawn = bool(returned) and _is_generated(damage, [], params, strength)
        return outcome(filled, damage, count, [], nobody, notes, thin_faces, generated=drawn)
    gathered = gather_faces(plain, found, known, params.reference, restorer.face_model, tools.matcher, budget)
    jobs = [_job(index, face, gathered, mode, params, scene.looking.doubt) for index, face in enumerate(found)]
    owners = Owners.of([face.frame for face in found], damage.chroma)
    if all(job.refused for job in jobs) and not always_return:
        return outcome(None, damage, count, jobs, owners, gathered.notes, thin_faces)
    before = [cut(job.found.frame, plain) for job in jobs]
    # From here on the photo changes in place: large ones are in memory twice.
    canvas = _with_texture(scene, jobs, owners, params, budget)
    bare = untouched_pixels(damage, jobs, owners)
    _fill_faces(canvas, damage, jobs, owners, bare, gathered, restorer, params.beside_face, strength, budget)
    restored = _coloured(damage, canvas, jobs, owners, budget)
    budget.check()
    compared = [
        job if job.refused else job.compared(_likeness(job, restored, old, known, tools))
        for job, old in zip(jobs, before, strict=True)
    ]
    put(restored, image, bare)
    drawn = _is_generated(damage, jobs, params, strength)
    return outcome(restored, damage, count, compared, owners, gathered.notes, thin_faces, generated=drawn)


@dataclass(frozen=True, eq=False)
class _Scene:
    """A damaged photo, its classically filled copy (H, W, 3), and the faces: all, and those that damage touches."""

    damage: DamagedPhoto
    plain: Image
    looking: Looking
    face_count: int
    faces: list[FoundFace]


@span("detection")
def _look(damage: DamagedPhoto, tools: Tools, size: int, params: RestoreParams) -> _Scene:
    plain = classical_photo(damage.image, damage.hole, damage.chroma, tools.budget)
    looking = looking_upright(tools.detector, plain, damage.image, params.min_certain_score, tools.budget)
    tools.budget.check()
    turned = replace(tools, detector=looking.detector)
    count, faces = damaged_faces(damage.image, plain, damage.hole, damage.chroma, turned, size, params)
    give_back_memory()
    return _Scene(damage, plain, looking, count, faces)


def _without_thin(scene: _Scene, tools: Tools, size: int, params: RestoreParams) -> tuple[_Scene, list[ThinFace]]:
    """Fill what is thin from both sides and look again; with the faces that have no other damage.

    The scene's filled copy becomes the photo whose thin damage is filled: nothing else needs it any more.
    """
    damage = scene.damage
    thin = thin_damage(damage.hole, scene.faces, params.thin, tools.budget)
    if not thin.any():
        return scene, []
    image = scene.plain
    fill_thin_in(image, thin, tools.budget)
    hole = without(damage.hole, thin)
    chroma = hole if damage.chroma is damage.hole else without(damage.chroma, thin)
    put(image, damage.image, chroma)
    keep_tone(damage.image, damage.chroma, image, thin)
    again = _look(DamagedPhoto(image, hole, chroma, thin), tools, size, params)
    return again, [
        ThinFace(face, thin_risk(face, params.risk_weights))
        for face in scene.faces
        if not any(overlap(face.face, other.face) > SAME_FACE for other in again.faces)
    ]


def _with_texture(scene: _Scene, jobs: Sequence[Job], owners: Owners, params: RestoreParams, budget: Budget) -> Image:
    """Give the classically filled photo texture, or the user's own network's, where wide damage is on no face.

    Damage on a face that is too little for the face model is filled from its surroundings: texture would come from
    beside the face. In place, but for a network.
    """
    hole = scene.damage.hole
    wide = owners.of_any([NOBODY], hole)
    if params.beside_face > 0:
        for index, job in enumerate(jobs):
            if not job.refused:
                at = job.found.frame.window
                wide[at] |= owners.own(index, hole, at) & beside_face(job.found)
    if not wide.any():
        return scene.plain
    if params.inpainter is not None:
        return fill_with_inpainter(scene.plain, wide, scene.damage.hole, load_inpainter(params.inpainter), budget)
    faces = [face.box for face in scene.looking.detector.detect(scene.plain)]
    on_skin = on_faces(owners.of_any([NOBODY], hole), faces)
    if on_skin.any():
        fill_thin_in(scene.plain, on_skin, budget)
        wide, hole = without(wide, on_skin), without(hole, on_skin)
    fill_with_texture(scene.plain, wide, hole, faces, budget)
    return scene.plain


def _is_generated(damage: DamagedPhoto, jobs: Sequence[Job], params: RestoreParams, strength: float) -> bool:
    """Whether a trained model makes any pixel: the restorer on a face, or the user's own network beside faces."""
    on_faces = strength > 0 and any(not job.refused for job in jobs)
    return on_faces or (params.inpainter is not None and bool(damage.hole.any()))


def _damage(
    image: Image, hole_mask: Mask, chroma_mask: Mask | None, mode: RequestedMode, budget: Budget
) -> DamagedPhoto:
    """Holes reach as far as their damage bled; chroma contains hole; colour-only work has no hole."""
    hole = hole_mask if mode == "colorize" else grow_to_edges(image, hole_mask, budget)
    chroma = hole if chroma_mask is None else hole | chroma_mask
    nothing = np.zeros(hole.shape, np.bool_)  # unlike `zeros_like` it takes no memory while nothing is in it
    return DamagedPhoto(image, nothing if mode == "colorize" else hole, chroma, nothing)


def _job(
    index: int, face: FoundFace, gathered: Gathered, mode: RequestedMode, params: RestoreParams, doubt: str
) -> Job:
    maps = face_maps(gathered, index, face, params.reference.witness)
    decision = route(face.measures, maps, mode, params, face.face.score, doubt)
    return Job(face, decision, trust(maps), gathered.references[index])


def _fill_faces(
    canvas: Image,
    damage: DamagedPhoto,
    jobs: Sequence[Job],
    owners: Owners,
    bare: Mask,
    gathered: Gathered,
    restorer: FaceRestorer,
    band: float,
    strength: float,
    budget: Budget,
) -> None:
    """Give the classically filled photo restored faces, in place; the pixels `bare` keep the classical fill.

    Beside a face that fill stays as well, where the band around the hole speaks for it.
    """
    accepted = [index for index, job in enumerate(jobs) if not job.refused]
    if not accepted:
        return
    evidence = some(gathered.evidence, accepted)
    batches = in_batches(range(len(accepted)), budget)
    with span("network"):
        restored = torch.cat([restorer.restore_from(some(evidence, batch)) for batch in batches])
    faces = [jobs[index].found for index in accepted]
    shares = beliefs(evidence.damaged, faces, restorer.face_model, band, budget)
    wanted = without(damage.chroma, bare)
    domains = [owners.own(index, wanted, face.frame.window) for index, face in zip(accepted, faces, strict=True)]
    del wanted
    # What was there before is kept pixel by pixel: a large face's window is most of a large photo.
    plain = [picked(canvas[face.frame.window], domain) for face, domain in zip(faces, domains, strict=True)]
    paste_all([face.frame for face in faces], canvas, restored, domains, damage.chroma, bare, budget)
    for face, share, domain, classical in zip(faces, shares, domains, plain, strict=True):
        at = face.frame.window
        in_hole = damage.hole[at][domain]
        mix_in(canvas[at], domain & damage.hole[at], classical[in_hole], face.frame, share)
        if strength < 1 and domain.any():
            canvas[at][domain] = cv2.addWeighted(canvas[at][domain], strength, classical, 1 - strength, 0)


def _coloured(damage: DamagedPhoto, canvas: Image, jobs: Sequence[Job], owners: Owners, budget: Budget) -> Image:
    """Keep known luma, and the tone of a print; in place, but where colour alone is missing."""
    keep_tone(damage.image, damage.chroma, canvas, damage.hole)
    if damage.chroma is damage.hole:
        return canvas
    faded = without(damage.chroma, damage.hole)
    if not faded.any():
        return canvas
    keep_luma(damage.image, canvas, damage.chroma, damage.hole)
    budget.check()
    spread = colour_between if _has_colour(damage) else colour_heads
    coloured = spread(canvas, _heads(jobs, owners, damage.chroma), faded, budget)
    keep_luma(damage.image, coloured, damage.chroma, damage.hole)
    return coloured


def _has_colour(damage: DamagedPhoto) -> bool:
    """Whether colour is known anywhere."""
    return not damage.chroma.all() and not is_colourless(damage.image, damage.chroma)


def _can_be_filled(damage: DamagedPhoto) -> bool:
    """Whether surroundings tell anything of what is missing: of colour nothing, where there is none."""
    return bool(damage.hole.any()) or _has_colour(damage)


def _heads(jobs: Sequence[Job], owners: Owners, missing: Mask) -> list[Head]:
    """The faces whose colours the restorer told, each where it lies."""
    return [
        head_of(job.found.frame, job.found.landmarks, owners.all_of(index, missing, job.found.frame.window))
        for index, job in enumerate(jobs)
        if not job.refused
    ]


def _likeness(
    job: Job, restored: Image, before: Image, known: Sequence[Sequence[KnownFace]], tools: Tools
) -> LikenessFigures:
    """Figures of one face against its classical fill `before` (size, size, 3), and a reference.

    That is the one that served it, else the first that shows a face.
    """
    tools.budget.check()
    frame, points = job.found.frame, job.found.points
    shown = job.reference or next((face for photo in known for face in photo), None)
    reference = None if shown is None else (shown.image, shown.points)
    return likeness(tools.encoders, cut(frame, restored), before, points, reference, tools.observe)
