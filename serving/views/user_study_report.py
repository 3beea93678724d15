"""Render the report of a user study as one self-contained page with heat maps."""

import base64
from typing import Any

import cv2
import numpy as np

from models.images import Image
from monitoring.user_study.heat_map import SIDE, draw_overlay
from monitoring.user_study.marked_regions import draw_heat_maps
from monitoring.user_study.raters import answers_by_rater, assess_rater
from monitoring.user_study.report import StudyReport
from monitoring.user_study.schema import INTACT, Study
from monitoring.user_study.store import StudyStore
from pipeline.image_io.write import png_bytes
from pipeline.project.html import template_environment

_SHOWN = 256
"""Side of a heat map in the page, pixels."""


def page(store: StudyStore, made: StudyReport) -> str:
    """Render the report as HTML; every text from data is escaped."""
    environment = template_environment(("serving", "pages"), ("pipeline", "templates"))
    maps, most = _maps(store)
    facts: dict[str, Any] = {"study": store.study, "report": made, "maps": maps, "most": most}
    return environment.get_template("user_study/report.html.j2").render(facts)


def overlays(store: StudyStore) -> tuple[dict[str, Image], float]:
    """Draw the heat map of every method over the study's mean face; gives also the share of the strongest colour."""
    study = store.study
    given = answers_by_rater(study, store.raters(), store.answers())
    counted = [one for rater, own in given.items() if not assess_rater(study, rater, own).excluded for one in own]
    looks = [
        (trial, answer) for trial, answer in counted if (trial.question, trial.purpose) == ("invented", "question")
    ]
    heat = draw_heat_maps(study, looks)
    most = max((float(each.max()) for each in heat.values()), default=0.0)
    face = cv2.resize(mean_face(study, store), (_SHOWN, _SHOWN), interpolation=cv2.INTER_CUBIC)
    return {method: draw_overlay(np.asarray(face, np.uint8), each, most) for method, each in heat.items()}, most


def mean_face(study: Study, store: StudyStore) -> Image:
    """Average the study's intact portraits (SIDE, SIDE, 3) to a face without identity."""
    total = np.zeros((SIDE, SIDE, 3))
    for person in study.people:
        data = np.frombuffer(store.picture(person.pictures[INTACT]) or b"", np.uint8)
        total += cv2.resize(cv2.imdecode(data, cv2.IMREAD_COLOR), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.rint(total / len(study.people))[..., ::-1].astype(np.uint8)


def _maps(store: StudyStore) -> tuple[dict[str, str], float]:
    pictures, most = overlays(store)
    encoded = {name: base64.b64encode(png_bytes(image)).decode("ascii") for name, image in pictures.items()}
    return {name: f"data:image/png;base64,{text}" for name, text in encoded.items()}, most
