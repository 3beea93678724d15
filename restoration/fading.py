"""Restore a photo by its mask, its fading lifted first where that is asked for: one way for files and the service."""

from collections.abc import Callable
from dataclasses import replace

from models.images import Image, Mask
from restoration.modes import RequestedMode
from restoration.photo.colour.veil import Veil, find_veil
from restoration.types import Restoration


def restore_faded(
    image: Image, mask: Mask, mode: RequestedMode, restore: Callable[[Image], Restoration], *, fade: bool
) -> tuple[Restoration, Veil | None]:
    """Restore a photo (H, W, 3) uint8, after its veil was lifted if `fade` asks for it.

    Args:
        image: the photo.
        mask: (H, W) bool, True = damaged, which says nothing of the veil.
        mode: what was asked for.
        restore: restores a photo by that mask.
        fade: whether the veil is lifted.

    Returns:
        What became of it; mode `fade` where nothing was filled and a veil was lifted. And the veil, for samples of
        another depth; None where nothing was lifted: not asked for, no veil, or a photo that is refused.
    """
    veil = find_veil(image, mask & (mode != "colorize")) if fade else None
    lifted = image if veil is None else veil.lift(image)
    done = restore(lifted)
    if veil is None or done.image is None:
        return done, None
    return replace(done, mode="fade" if done.mode == "unchanged" else done.mode, veil=round(veil.strength, 3)), veil
