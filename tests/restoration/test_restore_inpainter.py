"""A photo with the user's own network: it fills what is no face's, and the face is the restorer's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import WeightsError
from models.images import Image, Mask
from restoration.restore import restore_photo
from restoration.types import Restoration
from tests.restoration.photo.graphs import Kind, stripes, write_graph
from tests.restoration.site import FACELESS, PARAMS, Painter, astronaut, box_over, damage, tools

SIDE = 64
STEP = 4  # pixels of a stripe


@pytest.fixture(params=["LaMa", "MI-GAN"])
def graph(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kind: Kind = request.param
    return str(write_graph(tmp_path / "graph.onnx", kind, stripes(SIDE), SIDE))


def face_and_background() -> tuple[Mask, Mask]:
    photo = astronaut()
    face = box_over(tools().detector.detect(photo)[0], photo.shape, (0.3, 0.6, 0.7, 0.85))  # within the hull
    background = np.zeros_like(face)
    background[420:446, 20:46] = True
    return face, background


def restored(mask: Mask, inpainter: str | None) -> Restoration:
    params = PARAMS.model_copy(update={"inpainter": inpainter})
    return restore_photo(damage(astronaut(), mask), mask, Painter(), "inpaint", params, tools=tools())


def jumps(picture: Image, hole: Mask) -> float:
    """How much more, in grey levels, columns differ a stripe apart than two stripes apart."""
    levels = picture.astype(float).mean(axis=-1)
    near, far = (np.abs(levels - np.roll(levels, step, axis=1))[hole] for step in (STEP, 2 * STEP))
    return float(near.mean() - far.mean())


def test_the_background_is_the_networks_and_the_face_is_the_restorers(graph: str) -> None:
    face, background = face_and_background()
    own, texture = (restored(face | background, path).image for path in (graph, None))
    assert own is not None
    assert texture is not None
    inner = np.zeros_like(background)
    inner[422:444, 30:44] = True
    assert jumps(own, inner) > 60
    assert abs(jumps(texture, inner)) < 20
    assert np.array_equal(own[face], texture[face])
    assert np.array_equal(own[~(face | background)], astronaut()[~(face | background)])


def test_damage_of_a_face_alone_never_asks_the_network() -> None:
    face, background = face_and_background()
    nowhere = "/nowhere/lama.onnx"
    assert restored(face, nowhere).mode == "inpaint"
    with pytest.raises(WeightsError, match="no such file"):
        restored(background, nowhere)


def test_in_a_photo_without_a_face_all_that_is_wide_is_the_networks(graph: str) -> None:
    _, background = face_and_background()
    params = PARAMS.model_copy(update={"inpainter": graph})
    result = restore_photo(
        damage(astronaut(), background),
        background,
        Painter(),
        "auto",
        params,
        tools=replace(tools(), detector=FACELESS),
        always_return=True,
    )
    assert result.image is not None
    inner = np.zeros_like(background)
    inner[422:444, 30:44] = True
    assert jumps(result.image, inner) > 60


def test_what_a_trained_model_made_is_told_from_what_the_photo_itself_gave(graph: str) -> None:
    face, background = face_and_background()
    assert restored(face, None).generated
    assert not restored(background, None).generated  # texture from the photo
    assert restored(background, graph).generated
    line = np.zeros_like(face)
    line[: len(line) // 2, 250:252] = True
    thin = restored(line, graph)
    assert (thin.thin, thin.generated) == (1.0, False)  # from both sides, also over the face
    without = restore_photo(damage(astronaut(), face), face, Painter(), "inpaint", PARAMS, tools=tools(), strength=0.0)
    assert (without.mode, without.generated) == ("inpaint", False)
