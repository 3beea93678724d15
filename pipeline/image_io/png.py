"""Pictures as PNG."""

import cv2
import numpy as np
import numpy.typing as npt


def png_bytes(image: npt.NDArray[np.uint8]) -> bytes:
    """RGB uint8 (H, W, 3) -> PNG, without metadata, so that the same pixels give the same bytes."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()
