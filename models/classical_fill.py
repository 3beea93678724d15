"""Fill small damage without a learnt prior."""

from typing import Literal

import cv2
import numpy as np

from models.images import Image, Mask

FillMethod = Literal["telea", "navier-stokes"]
_FLAGS: dict[FillMethod, int] = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}
_RADIUS = 3.0  # pixels; the customary neighbourhood of cv2.inpaint


def classical_fill(image: Image, hole: Mask, chroma: Mask, method: FillMethod) -> Image:
    """Inpaint without a learnt prior: `cv2.inpaint` in the hole, and for colour alone where only chroma is gone.

    Args:
        image: (H, W, 3) uint8 RGB.
        hole: (H, W), True = luma and chroma missing.
        chroma: (H, W), True = chroma missing; contains `hole`.
        method: Telea (2004) or Navier-Stokes (Bertalmio et al., 2001).

    Returns:
        (H, W, 3) uint8 RGB. Known pixels are those of `image`. A picture with no known pixel at all comes back grey,
        one with no known colour comes back colourless.
    """
    filled = _inpaint(image, hole, method)
    colourless = chroma & ~hole
    if not colourless.any():
        return filled
    ycrcb = cv2.cvtColor(filled, cv2.COLOR_RGB2YCrCb)
    recoloured = np.dstack([ycrcb[..., 0], _inpaint(np.ascontiguousarray(ycrcb[..., 1:]), chroma, method)])
    rgb = cv2.cvtColor(recoloured, cv2.COLOR_YCrCb2RGB)
    return np.where(chroma[..., None], rgb, image).astype(np.uint8)


def _inpaint(image: Image, missing: Mask, method: FillMethod) -> Image:
    if not missing.any():
        return image
    if missing.all():
        return np.full_like(image, 128)
    if image.shape[-1] == 2:  # OpenCV takes one or three channels
        planes = [_inpaint(np.ascontiguousarray(image[..., k]), missing, method) for k in range(2)]
        return np.dstack(planes)
    filled: Image = cv2.inpaint(image, missing.astype(np.uint8), _RADIUS, _FLAGS[method])
    keep = ~missing if image.ndim == 2 else ~missing[..., None]
    return np.where(keep, image, filled).astype(np.uint8)
