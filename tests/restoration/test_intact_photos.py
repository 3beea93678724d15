"""Intact photos of all sorts come back as they came: the shipped finder takes nothing of them for damage."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from models.images import Image
from pipeline.config.load import load_params
from restoration.find_damage import FoundDamage, find_damage, shipped_finder
from tests.conftest import ROOT
from tests.restoration.site import astronaut, group, tools

MOST_AREA = 0.003


def face() -> Image:
    """A portrait of 512 x 512 pixels: head and shoulders."""
    cut = astronaut()[0:256, 96:352]
    return np.asarray(cv2.resize(cut, (512, 512), interpolation=cv2.INTER_CUBIC), np.uint8)


def found_in(image: Image) -> FoundDamage:
    params = load_params(ROOT / "params.yaml").restore.finder
    return find_damage(np.ascontiguousarray(image), shipped_finder(), tools().detector, params)


def grey() -> Image:
    return np.repeat(cv2.cvtColor(face(), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)


def sepia() -> Image:
    low, high = np.array([35, 20, 8]), np.array([244, 226, 196])
    return np.asarray(low + (high - low) * (grey() / 255), np.uint8)


def cabinet_card() -> Image:
    card = np.full((900, 620, 3), (214, 198, 164), np.uint8)
    card[50:590, 40:580] = cv2.resize(sepia(), (540, 540), interpolation=cv2.INTER_AREA)
    cv2.rectangle(card, (38, 48), (581, 591), (120, 90, 50), 2)
    cv2.putText(card, "Atelier Moser", (200, 700), cv2.FONT_HERSHEY_SCRIPT_COMPLEX, 1.0, (90, 60, 30), 1, cv2.LINE_AA)
    cv2.putText(card, "W I E N", (240, 750), cv2.FONT_HERSHEY_COMPLEX, 0.7, (90, 60, 30), 1, cv2.LINE_AA)
    return card


def polaroid() -> Image:
    print_ = np.full((660, 560, 3), (246, 244, 238), np.uint8)
    print_[24:536, 24:536] = face()
    cv2.putText(print_, "Oma 1974", (190, 610), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.0, (30, 30, 60), 2, cv2.LINE_AA)
    return print_


def oval(tone: int) -> Callable[[], Image]:
    def drawn() -> Image:
        mask = np.zeros((512, 512), np.float32)
        cv2.ellipse(mask, (256, 256), (186, 236), 0, 0, 360, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 10)[..., None]
        return np.asarray(mask * grey() + (1 - mask) * tone, np.uint8)

    return drawn


def halftone() -> Image:
    """Printed through a screen of 5 pixels, as a scanner blurs it; a sharp screen is still taken for damage."""
    y, x = np.mgrid[:512, :512]
    u, v = (x + y) / np.sqrt(2), (y - x) / np.sqrt(2)
    screen = (np.cos(2 * np.pi * u / 5) + np.cos(2 * np.pi * v / 5)) / 4 + 0.5
    dots = np.where(grey()[..., 0] / 255 > screen, 235, 25).astype(np.uint8)
    return np.repeat(cv2.GaussianBlur(dots, (0, 0), 1.2)[..., None], 3, axis=-1)


def grainy() -> Image:
    noise = np.random.default_rng(2).normal(0, 22, (512, 512, 1))
    return np.clip(face() + noise, 0, 255).astype(np.uint8)


def jpeg15() -> Image:
    _, data = cv2.imencode(".jpg", face()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 15])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]


def passport_sheet() -> Image:
    return np.tile(face(), (2, 2, 1))


def overexposed() -> Image:
    return np.clip(255 * (face() / 255) ** 0.45 * 1.08, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        astronaut,
        group,
        face,
        grey,
        sepia,
        cabinet_card,
        polaroid,
        oval(250),
        oval(10),
        halftone,
        grainy,
        jpeg15,
        passport_sheet,
        overexposed,
    ],
)
def test_no_face_is_touched_and_hardly_anything_else(picture: Callable[[], Image]) -> None:
    image = picture()
    found = found_in(image)
    assert found.sure.mean() <= MOST_AREA
    for seen in tools().detector.detect(image):
        x, y, width, height = (round(value) for value in seen.box)
        assert not found.sure[max(0, y) : y + height, max(0, x) : x + width].any()


def test_the_same_portrait_with_a_crack_is_not_passed_over() -> None:
    cracked = sepia().copy()
    steps = np.arange(30, 480)
    line = np.round(250 + 60 * np.sin(steps / 70) + 6 * np.sin(steps / 5)).astype(int)
    for shift in (-1, 0, 1):
        cracked[steps, line + shift] = (248, 240, 222)
    found = found_in(cracked)
    assert found.sure[steps, line].mean() > 0.8
