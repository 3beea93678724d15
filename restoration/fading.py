"""Restore a photo by its mask, its fading lifted first where that is asked for: one way for files and the service."""

from collections.abc import Sequence
from dataclasses import replace

from models.images import Image
from pipeline.config.restore import RestoreParams
from restoration.mask import UsedMask, restore_used
from restoration.modes import RequestedMode
from restoration.photo.veil import Veil, find_veil
from restoration.types import FaceRestorer, Restoration, Tools


def restore_faded(
    image: Image,
    used: UsedMask,
    restorer: FaceRestorer,
    mode: RequestedMode,
    params: RestoreParams,
    references: Sequence[Image],
    tools: Tools,
    strength: float = 1.0,
    *,
    fade: bool,
) -> tuple[Restoration, Veil | None]:
    """Restore a photo (H, W, 3) uint8 as `restore_used` does, after its veil was lifted if `fade` asks for it.

    Returns:
        What became of it; mode `fade` where nothing was filled and a veil was lifted. And the veil, for samples of
        another depth; None where nothing was lifted: not asked for, no veil, or a photo that is refused.
    """
    veil = find_veil(image, used.mask & (mode != "colorize")) if fade else None
    lifted = image if veil is None else veil.lift(image)
    done = restore_used(lifted, used, restorer, mode, params, references, tools, strength)
    if veil is None or done.image is None:
        return done, None
    return replace(done, mode="fade" if done.mode == "unchanged" else done.mode, veil=round(veil.strength, 3)), veil
