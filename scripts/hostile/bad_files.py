"""Hostile and awkward files, made on the spot: name -> (bytes, expected code or "" for accept)."""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

SIZE = (160, 200)
NAMES = (
    "../../etc/passwd", "/etc/passwd", "..\\..\\x.jpg", "a\x00b.jpg", "....//....//x.jpg", "%2e%2e%2fx.jpg", "", ".",
    "..", "x" * 4096 + ".jpg", "file:///etc/passwd", "\\\\host\\share\\x.jpg", "C:\\x.jpg", "/dev/zero",
    "/proc/self/environ", "<img src=x onerror=alert(1)>.jpg", "$(touch PWNED).jpg", "'; DROP TABLE rows;--.jpg",
    "=cmd()+1.jpg", "\u202egpj.exe.jpg", "портрет 肖像.jpg", "e\u0301.jpg", "a\r\nSet-Cookie: x=1.jpg", "\x1b[2J.jpg",
    '"; filename="b',
)  # fmt: skip
"""Each is sent as the name of a photo."""
ON_DISK = tuple(name for name in NAMES if name not in {"", ".", ".."} and len(name) < 200 and not {"/", "\0"} & {*name})
"""Those that a folder can hold."""


def portrait() -> Image.Image:
    """A drawn face, 160 x 200, with a red block at the top left of the upright picture."""
    picture = Image.new("RGB", SIZE, (120, 150, 190))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((30, 20, 130, 184), fill=(224, 182, 155))
    draw.line((16, 0, 144, 200), fill=(245, 240, 225), width=3)
    draw.rectangle((0, 0, 30, 20), fill=(255, 0, 0))
    return picture


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture in a format."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_size(width: int, height: int, rows: bytes = b"\0" * 64) -> bytes:
    """A grey PNG whose header says width x height, whatever its rows hold."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def grey16() -> npt.NDArray[np.uint16]:
    """The drawn face in 16-bit grey, full range."""
    return np.asarray(portrait().convert("L")).astype(np.uint16) * 257


def flipped_scan(jpeg: bytes) -> bytes:
    """A JPEG with every twelfth byte of its compressed data wrong, markers left alone."""
    damaged = bytearray(jpeg)
    start = jpeg.index(b"\xff\xda") + 200
    for place in range(start, len(jpeg) - 100, 12):
        if 0xFF not in (damaged[place] ^ 0x2A, damaged[place], damaged[place - 1]):
            damaged[place] ^= 0x2A
    return bytes(damaged)


def files() -> dict[str, tuple[bytes, str]]:
    """At least one file for every code that bytes alone can earn, and the awkward ones that are fine."""
    face = portrait()
    jpeg, png, webp = encoded(face, "JPEG", quality=88), encoded(face, "PNG"), encoded(face, "WEBP")
    size_field = jpeg.index(b"\xff\xc0") + 5
    huge_jpeg = jpeg[:size_field] + struct.pack(">HH", 65500, 65500) + jpeg[size_field + 4 :]
    lying_jpeg = jpeg[:size_field] + struct.pack(">HH", 3000, 3000) + jpeg[size_field + 4 :]
    wrong_data = bytearray(png)
    wrong_data[png.index(b"IDAT") + 40] ^= 0xFF
    bomb = zlib.compress(b"A" * (8 << 20), 9)
    transparent = face.convert("RGBA")
    transparent.putalpha(0)
    frames = [face, face.rotate(90)]
    return {
        "empty.jpg": (b"", "empty_file"),
        "text.jpg": (b"this is not a picture\n" * 20, "unsupported_format"),
        "gif.jpg": (encoded(face, "GIF"), "unsupported_format"),
        "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n", "unsupported_format"),
        "pdf_and_jpeg.jpg": (b"%PDF-1.4\n%" + jpeg, "unsupported_format"),
        "small.png": (encoded(face.resize((63, 63)), "PNG"), "too_small"),
        "line.png": (encoded(Image.new("L", (9000, 1)), "PNG"), "too_small"),
        "strip.png": (encoded(Image.new("L", (1281, 64)), "PNG"), "bad_aspect_ratio"),
        "bomb_169.png": (png_of_size(13000, 13000), "too_many_pixels"),
        "bomb_400.png": (png_of_size(20000, 20000), "too_many_pixels"),
        "bomb.jpg": (huge_jpeg, "too_many_pixels"),
        "promises.jpg": (lying_jpeg, "corrupt"),
        "half.jpg": (jpeg[: len(jpeg) // 2], "corrupt"),
        "half_with_end.jpg": (jpeg[: len(jpeg) // 2] + b"\xff\xd9", "corrupt"),
        "flipped.jpg": (flipped_scan(jpeg), "corrupt"),
        "header_only.jpg": (jpeg[:20], "corrupt"),
        "many_scans.jpg": (jpeg[:-2] + jpeg[jpeg.index(b"\xff\xda") :] * 60, "corrupt"),
        "half.png": (png[: len(png) // 2], "corrupt"),
        "wrong_data.png": (bytes(wrong_data), "corrupt"),
        "wrong_text.png": (png[:33] + chunk(b"tEXt", b"a\0b")[:-1] + b"!" + png[33:], "corrupt"),
        "text_bomb.png": (png[:33] + chunk(b"zTXt", b"Comment\0\0" + bomb) + png[33:], "corrupt"),
        "half.webp": (webp[: len(webp) // 2], "corrupt"),
        "loop.tif": (b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIII", 256, 4, 1, 64, 8), "corrupt"),
        "pages.tif": (encoded(face, "TIFF", save_all=True, append_images=[face]), "multi_frame"),
        "moving.png": (encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]), "multi_frame"),
        "moving.webp": (encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]), "multi_frame"),
        "float.tif": (encoded(Image.fromarray(grey16().astype(np.float32)), "TIFF"), "unsupported_mode"),
        "hidden.png": (encoded(transparent, "PNG"), "no_visible_pixels"),
        "no_end.jpg": (jpeg[:-2], ""),
        "zip_behind.jpg": (jpeg + b"PK\x03\x04" + b"\0" * 64, ""),
        "png_called.jpg": (png, ""),
        "profile_bomb.png": (png[:33] + chunk(b"iCCP", b"icc\0\0" + bomb) + png[33:], ""),
        "noise_as_profile.jpg": (encoded(face, "JPEG", icc_profile=b"\x01" * 500), ""),
        "exactly_64.png": (encoded(face.resize((64, 64)), "PNG"), ""),
        "two_eyes.mpo": (encoded(face, "MPO", save_all=True, append_images=[face]), ""),
        "windows.bmp": (encoded(face, "BMP"), ""),
    }
