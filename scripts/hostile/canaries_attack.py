"""Send photos, names and secrets that can be recognised, and look for them in whatever the service writes and shows."""

import io
import secrets
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from torch import Tensor

from models.assets import ASSETS
from models.identity.interface import IdentityEncoder
from models.images import Image
from models.load import load_restorer
from restoration.restore import restore_photo
from restoration.types import load_tools
from scripts.benchmarks.large_photos import sampled_portraits
from scripts.finding import Finding, counted
from scripts.hostile.needles import found_below, found_in
from scripts.hostile.victim import Siege, Victim

_SHOWN = ("/metrics", "/status", "/v1/status", "/openapi.json", "/docs", "/readyz", "/healthz")
_SIDE, _BLOCK, _LONG = 256, 24, 48
_FLOATS = 16
"""Of an embedding: so many in a row are no chance."""
_ARTIST, _PLACE = 0x013B, 0x8825


def attack(siege: Siege) -> list[Finding]:
    """Attack by canaries."""
    needles = _sung(siege)
    victim, root = siege.victim, siege.victim.paths.root
    shown = []
    with victim.client() as client:
        for path in _SHOWN:
            shown += [f"{name} in {path}" for name in found_in(client.get(path).content, needles)]
    written = found_below(root, needles)
    return [
        counted(
            f"{len(needles)} canaries in {len(_SHOWN)} pages and metrics", "0 found", shown, len(needles) * len(_SHOWN)
        ),
        counted("canaries in state, logs, databases and cache", "0 found", written, sum(1 for _ in root.rglob("*"))),
        _crash(victim),
    ]


def _sung(siege: Siege) -> dict[str, bytes]:
    """Send requests that hold secrets, good ones and such as fail, and give the secrets."""
    words = {
        name: f"canary-{name}-{secrets.token_hex(8)}"
        for name in ("exif", "file", "subject", "field", "address", "json")
    }
    words["token"] = f"lk_{secrets.token_hex(4)}_canary{secrets.token_urlsafe(24)}"
    photo, reference = (marked(picture, siege.seed + n) for n, picture in enumerate(sampled_portraits(2, siege.seed)))
    sent = {"photo": with_exif(photo, words["exif"]), "reference": with_exif(reference, words["exif"])}
    files = {
        "image": (f"{words['file']}.jpg", sent["photo"]),
        "references": (f"{words['file']}.jpg", sent["reference"]),
    }
    with siege.victim.client("restore") as client:
        answer = client.post("/v1/restorations", files=files | {"mask": hole()}, data={"subject": words["subject"]})
        answer.raise_for_status()
        _requests_that_fail(client, words, sent["photo"])
    with siege.victim.client("admin") as client:
        client.delete(f"/v1/subjects/{words['subject']}")
        client.delete(f"/v1/subjects/{words['subject']}%0Aline")
    needles = {name: word.encode() for name, word in words.items()}
    for name, picture in (("photo", photo), ("reference", reference)):
        row = np.ascontiguousarray(picture[2, :_BLOCK])
        needles |= {
            f"pixels of the {name}": row.tobytes()[:_LONG],
            f"BGR of the {name}": row[:, ::-1].tobytes()[:_LONG],
        }
        needles |= {f"file of the {name}": sent[name][-600 : -600 + _LONG]}
    return needles | _embeddings(siege, photo, reference)


def _requests_that_fail(client: httpx.Client, words: dict[str, str], photo: bytes) -> None:
    """Errors name what they got: to the caller, and to nobody else."""
    client.post("/v1/restorations", files={"image": photo[: len(photo) // 2]}, data={"subject": words["subject"]})
    client.post("/v1/restorations", files={"image": photo}, data={words["field"]: "x"})
    client.post("/v1/restorations", files={"image": photo, "mask": photo}, data={"subject": words["subject"] + "//"})
    client.get(f"/v1/restorations/{words['address']}")
    client.get(f"/{words['address']}", params={words["field"]: words["subject"]})
    client.post(f"/v1/restorations/{'0' * 32}/feedback", json={"recognised": True, words["json"]: words["json"]})
    client.get("/v1/reviews", headers={"Authorization": f"Bearer {words['token']}"})


def marked(picture: Image, seed: int) -> Image:
    """Enlarge a portrait and put a block of noise in its corner, by whose pixels it can be recognised."""
    large = np.asarray(Pillow.fromarray(picture).resize((_SIDE, _SIDE))).copy()
    large[:_BLOCK, :_BLOCK] = np.random.default_rng(seed).integers(0, 256, (_BLOCK, _BLOCK, 3), dtype=np.uint8)
    return large


def with_exif(picture: Image, word: str) -> bytes:
    """Encode a picture without loss, with a word in its EXIF as the owner of the camera, and a place."""
    exif = Pillow.Exif()
    exif[_ARTIST] = word
    place = exif.get_ifd(_PLACE)
    place[1], place[2] = "N", (50.0, 30.0, 0.0)
    stream = io.BytesIO()
    Pillow.fromarray(picture).save(stream, "PNG", exif=exif, compress_level=0)
    return stream.getvalue()


def hole() -> bytes:
    """A mask over an eye, as PNG."""
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    mask[100:130, 80:120] = 255
    stream = io.BytesIO()
    Pillow.fromarray(mask).save(stream, "PNG")
    return stream.getvalue()


def _embeddings(siege: Siege, photo: Image, reference: Image) -> dict[str, bytes]:
    """Restore as the service does, and give the first numbers of every embedding that is computed, in either width."""
    tools = load_tools(siege.params.restore.min_detector_score, siege.params.identity)
    recorders = tuple(_Recorder(encoder) for encoder in tools.encoders)
    mask = np.asarray(Pillow.open(io.BytesIO(hole()))) > 0
    restore_photo(
        photo, mask, load_restorer(ASSETS / "restorer.safetensors"), "auto", siege.params.restore,
        references=[reference], tools=replace(tools, encoders=recorders),
    )  # fmt: skip
    found: dict[str, bytes] = {}
    for recorder in recorders:
        for number, embedding in enumerate(recorder.seen):
            first = embedding[:_FLOATS]
            found[f"embedding {number} by {recorder.name}"] = first.astype(np.float32).tobytes()
            found[f"embedding {number} by {recorder.name}, 64 bit"] = first.astype(np.float64).tobytes()
            found[f"embedding {number} by {recorder.name}, text"] = ", ".join(map(repr, first[:3].tolist())).encode()
    return found


class _Recorder:
    """An encoder that remembers what it gave."""

    def __init__(self, encoder: IdentityEncoder) -> None:
        self._encoder, self.name, self.dim = encoder, encoder.name, encoder.dim
        self.seen: list[npt.NDArray[np.float32]] = []

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """Embed, and remember the first of the batch."""
        made = self._encoder.embed(images, points)
        self.seen.append(made[0].detach().numpy())
        return made


def _crash(victim: Victim) -> Finding:
    """A crash writes no memory to disk: neither a file, nor to a program that collects dumps (limits of 0 and 1)."""
    lines = Path(f"/proc/{victim.pid}/limits").read_text(encoding="ascii").splitlines()
    soft = next(line.split()[4] for line in lines if line.startswith("Max core file size"))
    misses = [] if soft == "1" else [f"soft limit of core dumps: {soft}"]
    return counted("memory that a crash leaves behind", "none", misses, 1)
