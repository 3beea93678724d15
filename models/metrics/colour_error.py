"""Colour error as people see it, and the guesses that a colouriser has to beat."""

import numpy as np
import numpy.typing as npt
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from models.colour import luma
from models.evidence.evidence import Damaged, compose
from models.images import to_uint8


def colour_error(restored: Tensor, target: Tensor, chroma_mask: Tensor) -> npt.NDArray[np.float64]:
    """Average the CIEDE2000 difference (Sharma, Wu, Dalal, 2005) over the pixels whose chroma is missing.

    By scikit-image: sRGB to CIE L*a*b* under D65, then its `deltaE_ciede2000`. About 1 is just noticeable, 2.3 a
    common threshold. Where luma is missing too, its error counts as well.

    Args:
        restored: (N, 3, H, W) in [-1, 1]; rounded to 8 bits, as a viewer sees it.
        target: of the same shape.
        chroma_mask: (N, 1, H, W), 1 = chroma missing.

    Returns:
        (N,) at least 0; NaN for a picture without such pixels.
    """
    masks = chroma_mask[:, 0].cpu().numpy() > 0.5
    difference = deltaE_ciede2000(rgb2lab(to_uint8(target)), rgb2lab(to_uint8(restored)))
    means = [values[mask].mean() if mask.any() else np.nan for values, mask in zip(difference, masks, strict=True)]
    return np.array(means, np.float64)


def grey_world(damaged: Damaged) -> Tensor:
    """Leave what has lost its chroma grey at its luma, (N, 3, H, W) in [-1, 1]: the colourless guess.

    Buchsbaum (1980) assumes that a scene averages to grey; without any other evidence the average is the guess.
    Meant for damage of colour alone: a hole (luma missing too) keeps whatever the picture holds there.
    """
    return compose(damaged, luma(damaged.image).expand_as(damaged.image))


def mean_colour(damaged: Damaged) -> Tensor:
    """Give missing chroma the mean of what is left, on the known luma, (N, 3, H, W): the stronger guess.

    A picture of which no colour is left comes back grey, as from `grey_world`.
    """
    known = 1 - damaged.chroma_mask
    chroma = damaged.image - luma(damaged.image)
    mean = (chroma * known).sum(dim=(2, 3), keepdim=True) / known.sum(dim=(2, 3), keepdim=True).clamp_min(1)
    return compose(damaged, luma(damaged.image) + mean)
