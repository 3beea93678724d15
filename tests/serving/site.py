"""A small real service: a real uvicorn on a free port, an untrained model, real tools, real photographs."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from PIL import Image as Pillow

from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.images import Image, Mask
from models.weight_files import weights_sha256
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from restoration.restore import restore_photo
from restoration.types import FaceRestorer, Restoration, load_tools
from serving.http.auth import Guard, new_token
from serving.server import listen, server_for
from serving.service import Service
from tests.conftest import ROOT

PARAMS = load_params(ROOT / "params.yaml")


def small_assets(folder: Path) -> Path:
    """A folder like `assets/` with an untrained generator of width 8, and no finder."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        generator = Generator(8, 2)
        for parameter in generator.parameters():
            torch.nn.init.normal_(parameter, std=0.05)
    save_weights(generator, folder / "restorer.safetensors", image_size=128)
    card = {"sha256": weights_sha256(folder / "restorer.safetensors")}
    (folder / "restorer.json").write_text(json.dumps(card))
    return folder


class Shared(Service):
    """Parts that several servers use, so that none may close them."""

    def close(self) -> None:
        """Nothing: whoever made the parts closes them."""

    def end_within(self, seconds: float) -> None:
        """Nothing: other servers use the pool."""

    @classmethod
    def of(cls, service: Service, **other: Any) -> "Shared":
        """The same parts, some replaced."""
        return cls(**(vars(service) | other))


@contextmanager
def running(service: Service) -> Iterator[str]:
    """The address of a server in a thread; it ends with the block, in an orderly way."""
    listening = listen("127.0.0.1", 0)
    server = server_for(service)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass(frozen=True)
class Site:
    """A running service: with tokens at `url`, without at `open_url`."""

    service: Service
    url: str
    open_url: str
    tokens: dict[str, str]

    @property
    def paths(self) -> Paths:
        return self.service.paths

    def client(self, role: str = "restore") -> httpx.Client:
        """Speaks with the token of a role; "" for none."""
        headers = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        unchecked = False  # it speaks plain HTTP: reading the machine's certificates would take longer than a request
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=unchecked)


@contextmanager
def both_ways(service: Service) -> Iterator[Site]:
    """A site over an assembled service."""
    tokens = {role: new_token(service.paths, role, role, datetime.now(UTC)) for role in ("restore", "review", "admin")}
    with running(Shared.of(service)) as url, running(Shared.of(service, guard=Guard(None))) as open_url:
        yield Site(service, url, open_url, tokens)


def portrait() -> Image:
    """An astronaut, (200, 180, 3), in which `red_finder` finds no damage."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[0:200, 140:320])


def hole(image: Image) -> Mask:
    """Over one eye and a part of the nose."""
    mask = np.zeros(image.shape[:2], np.bool_)
    mask[90:120, 80:112] = True
    return mask


def damaged() -> tuple[Image, Mask]:
    """The astronaut with a hole, pure red, as `red_finder` knows holes."""
    image = portrait().copy()
    mask = hole(image)
    image[mask] = (255, 0, 0)
    return image, mask


def restored_directly(restorer: FaceRestorer) -> Restoration:
    """What `damaged` becomes without the service."""
    image, mask = damaged()
    tools = load_tools(PARAMS.restore.min_detector_score, PARAMS.identity)
    return restore_photo(image, mask, restorer, "auto", PARAMS.restore, tools=tools)


def doubtful(image: Image) -> tuple[Image, Mask]:
    """A copy with a stain beside the face, dark red, of which `red_finder` is not sure."""
    copy, mask = image.copy(), np.zeros(image.shape[:2], np.bool_)
    mask[20:40, 10:26] = True
    copy[mask] = (140, 0, 0)
    return copy, mask


def file_of(image: Image | Mask, kind: str = "PNG", **options: Any) -> bytes:
    """An encoded picture; a mask becomes white = missing."""
    pixels = image.astype(np.uint8) * 255 if image.dtype == np.bool_ else image
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def pixels_of(data: bytes) -> Image:
    """A decoded picture."""
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


def form(kind: str = "PNG", *, mask: bool = True) -> dict[str, bytes]:
    """Files of a request for the astronaut."""
    image, missing = damaged()
    return {"image": file_of(image, kind)} | ({"mask": file_of(missing)} if mask else {})
