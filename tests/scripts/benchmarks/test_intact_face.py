"""A face is judged where it lies in the intact photo: damage beside it does not count, damage in it does."""

import numpy as np
import pytest
import torch

from pipeline.config.load import load_params
from pipeline.evaluation.scoring import Judges
from restoration.types import Tools
from scripts.benchmarks.intact_face import IntactFace, scores
from tests.conftest import ROOT
from tests.restoration.site import astronaut, tools

SIZE = 128


@torch.inference_mode()
def test_a_face_is_judged_where_it_lies_in_the_intact_photo() -> None:
    seeing: Tools = tools()
    photo, judges = astronaut(), Judges.load(torch.device("cpu"), load_params(ROOT / "params.yaml").identity)
    face = seeing.detector.detect(photo)[0]
    truth = IntactFace.of(photo, face, judges, SIZE)
    assert (truth.points.shape, truth.target.shape) == ((1, 5, 2), (1, 3, SIZE, SIZE))
    assert truth.embedding.norm().item() == pytest.approx(1, abs=1e-5)
    x, y, width, height = (round(figure) for figure in face.box)
    covered, beside = photo.copy(), photo.copy()
    covered[y + height // 2 : y + height, x : x + width] = 127
    beside[-40:, :40] = 127
    assert (truth.lpips(photo), truth.identity_distance(photo)) == pytest.approx((0, 0), abs=1e-5)
    assert (truth.lpips(beside), truth.identity_distance(beside)) == pytest.approx((0, 0), abs=1e-5)
    assert truth.lpips(covered) > 0.05
    assert 0.1 < truth.identity_distance(covered) < 2
    figures = scores({"covered": covered, "beside": beside}, photo, face, judges, SIZE)
    assert figures["identity covered"] == pytest.approx(truth.identity_distance(covered))
    assert figures["identity beside"] == pytest.approx(0, abs=1e-5)
    assert figures["lpips beside"] > 1e-4  # of the whole photo
    assert np.isfinite(list(figures.values())).all()
