"""Rules of the finder, compared on pictures that are searched once."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from models.images import Image
from pipeline.config.load import load_params
from restoration.find_damage import find_damage, shipped_finder
from scripts.assets.finder.hand_drawn import Crack, Print
from scripts.benchmarks.finder_rules import lengths, parse_rules, searched, table
from tests.conftest import ROOT
from tests.restoration.site import astronaut, tools

RULES = load_params(ROOT / "params.yaml").restore.finder


def test_rules_are_changed_by_name_and_checked() -> None:
    assert parse_rules(RULES, "sure=0.61,certain=0.9") == RULES.model_copy(update={"sure": 0.61, "certain": 0.9})
    assert parse_rules(RULES, "") == RULES
    with pytest.raises(ValidationError):
        parse_rules(RULES, "shure=0.6")


def test_what_was_found_before_is_judged_as_the_product_judges_it() -> None:
    image = cracked()
    case = searched(image, shipped_finder(), tools().detector)
    assert np.array_equal(case.by(RULES).sure, find_damage(image, shipped_finder(), tools().detector, RULES).sure)


def test_the_table_has_used_proposed_and_masked_details() -> None:
    crack = Crack(np.array([[40, 40], [470, 470]], np.float32), faint=False)
    truth = Print("p.png", "", (512, 512), (crack,), ((0, 0, 9, 9),))
    damaged = searched(cracked(), shipped_finder(), tools().detector, truth)
    intact = replace(damaged, truth=None)  # the same picture, as if nothing in it were damaged
    rules = {
        "none": parse_rules(RULES, "certain=1.0,across=1.0,net=9"),
        "loose": parse_rules(RULES, "doubtful=0.1,sure_in_net=0.1,sure=0.1,sure_feature=0.1,certain=0.1"),
    }
    head, _, none, loose = table([damaged, intact], rules)
    assert head.startswith("| rules | p.png |")
    assert none.startswith("| none | 0.0% / ")
    assert none.endswith("| 0 of 1 | 0.00% |")
    assert "| 1 of 1 |" in loose


def test_lengths_of_sure_lines_are_those_of_the_cracks() -> None:
    crack = Crack(np.array([[40, 40], [470, 470]], np.float32), faint=False)
    damaged = searched(cracked(), shipped_finder(), tools().detector, Print("p.png", "", (512, 512), (crack,), ()))
    intact = searched(np.full((512, 512, 3), 128, np.uint8), shipped_finder(), tools().detector)
    rows = [row.split(" | ") for row in lengths([damaged, intact], RULES, (0.1, 1.0))]
    assert rows[0] == ["| sure", "p.png", "intact, longest |"]
    assert 2.0 < float(rows[2][1]) < 4.5  # the diagonals of three lines are 1.19, 0.97 and 0.88 long sides
    assert rows[2][2] == "0.00 |"
    assert float(rows[3][1]) == 0.0


def cracked() -> Image:
    """A portrait with three white lines across it."""
    image = np.asarray(cv2.resize(astronaut(), (512, 512)), np.uint8)
    for shift in (0, 120, -150):
        cv2.line(image, (40 + shift, 40), (470 + shift, 470), (250, 248, 240), 2, cv2.LINE_AA)
    return image
