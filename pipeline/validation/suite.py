"""The suite as code: every requirement on the portraits, its group, and what to do when it is not met."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import great_expectations.expectations as gxe

from pipeline.config.data import Check, ValidateParams
from pipeline.validation.expectations import (
    ExpectColumnTypesOfIngest,
    ExpectGapBetweenSplitsToBeAtMost,
    ExpectIdentitiesInOneSplit,
    ExpectLargestBinShareToBeAtMost,
    ExpectNoGaps,
    ExpectQuarantinedShareToBeAtMost,
)
from pipeline.validation.facts import COLUMN_TYPES, DERIVED

YAW_EDGES = (-30.0, -10.0, 10.0, 30.0)
"""Degrees: far left, left, frontal, right, far right."""
LIGHT_EDGES = (60.0, 100.0, 140.0, 180.0)
"""Mean luma, 0..255: from dark to bright."""
TONE_EDGES = (-30.0, 10.0, 28.0, 41.0, 55.0)
"""Individual typology angle, degrees: dark, brown, tan, intermediate, light, very light (Chardon et al., 1991)."""


@dataclass(frozen=True)
class Requirement:
    """One expectation with its words for people.

    Attributes:
        check: the group, which `validate.blocking` may name.
        says: what is expected, as a noun phrase.
        remedy: what to do when it is not met, as an imperative.
        expectation: of Great Expectations.
    """

    check: Check
    says: str
    remedy: str
    expectation: Any


def column_requirements() -> Iterator[Requirement]:
    """Require the columns; nothing else can be checked in a table that lacks some."""
    expectation = gxe.ExpectTableColumnsToMatchSet(column_set=[*COLUMN_TYPES, *DERIVED], exact_match=True)
    yield Requirement("schema", f"the {len(COLUMN_TYPES)} columns of a portrait table", _AGAIN, expectation)


def all_requirements(params: ValidateParams, quarantined: int) -> Iterator[Requirement]:
    """List every requirement on a table that has the right columns.

    Args:
        params: bounds.
        quarantined: number of files that ingest put aside.
    """
    yield from column_requirements()
    yield from _schema()
    yield from _unique()
    yield from _batch(params, quarantined)
    yield from _ranges(params)
    yield from _quality(params)
    yield from _balance(params)


_AGAIN = "run the stage ingest again"
_SOURCE = "look at the source and at data.* in params.yaml"


def _schema() -> Iterator[Requirement]:
    yield Requirement("schema", "columns of the types that ingest writes", _AGAIN, ExpectColumnTypesOfIngest())
    yield Requirement("schema", "no gaps in the table", _AGAIN, ExpectNoGaps())
    for column, digits in (("portrait_id", 16), ("sha256", 64)):
        pattern = gxe.ExpectColumnValuesToMatchRegex(column=column, regex=rf"^[0-9a-f]{{{digits}}}$")
        yield Requirement("schema", f"{digits} hexadecimal digits in {column}", _AGAIN, pattern)
    splits = gxe.ExpectColumnValuesToBeInSet(column="split", value_set=list(_SPLITS))
    yield Requirement("schema", f"split in {', '.join(_SPLITS)}", _AGAIN, splits)
    for column, numbers in (("points", 10), ("landmarks", 136)):  # the table holds their lengths here
        lengths = gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[numbers])
        yield Requirement("schema", f"{numbers} numbers in {column}", _AGAIN, lengths)


_SPLITS = ("train", "validation", "test")


def _unique() -> Iterator[Requirement]:
    remedy = "remove the duplicates from the source"
    for column in ("portrait_id", "sha256"):
        yield Requirement("unique", f"each {column} once", remedy, gxe.ExpectColumnValuesToBeUnique(column=column))


def _batch(params: ValidateParams, quarantined: int) -> Iterator[Requirement]:
    leak = "correct data.identity_pattern, or the splits of the source"
    yield Requirement("split_leak", "each identity in one split", leak, ExpectIdentitiesInOneSplit())
    enough = gxe.ExpectTableRowCountToBeBetween(min_value=params.min_portraits)
    yield Requirement("count", f"at least {params.min_portraits} portraits", "add portraits to the source", enough)
    splits = gxe.ExpectColumnDistinctValuesToContainSet(column="split", value_set=list(_SPLITS))
    yield Requirement("count", "portraits in every split", "add portraits, or change data.split", splits)
    aside = ExpectQuarantinedShareToBeAtMost(quarantined=quarantined, max_share=params.max_quarantined_share)
    says = f"at most {params.max_quarantined_share:.0%} of the files in quarantine"
    yield Requirement("quarantine", says, "read data/portraits/quarantine/records.jsonl and correct the source", aside)


def _ranges(params: ValidateParams) -> Iterator[Requirement]:
    yield _between("ranges", "detector_score", params.min_detector_score, 1.0, 1.0)
    yield _between("ranges", "face_count", 1, None, 1.0)
    yield _between("ranges", "points_inside", 1.0, 1.0, 1.0)
    for column, low in (("width", params.min_side), ("height", params.min_side)):
        yield _between("ranges", column, low, None, 1.0)
    yield _between("ranges", "landmarks_inside", params.min_landmarks_inside, 1.0, params.mostly)
    yield _between("ranges", "brightness", *params.brightness, params.mostly)
    yield _between("ranges", "yaw", -params.max_abs_yaw, params.max_abs_yaw, params.mostly)


def _quality(params: ValidateParams) -> Iterator[Requirement]:
    yield _between("quality", "sharpness", params.min_sharpness, None, params.mostly)
    yield _between("quality", "contrast", params.min_contrast, None, params.mostly)


def _between(check: Check, column: str, low: float, high: float | None, mostly: float) -> Requirement:
    bounds = f"in [{low:g}, {high:g}]" if high is not None else f"of at least {low:g}"
    whom = "every portrait" if mostly == 1.0 else f"{mostly:.0%} of the portraits"
    expectation = gxe.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, mostly=mostly)
    return Requirement(check, f"{column} {bounds} for {whom}", _SOURCE, expectation)


def _balance(params: ValidateParams) -> Iterator[Requirement]:
    remedy = "add portraits of the rare kinds, or raise the bound in params.yaml"
    for column, edges in (("yaw", YAW_EDGES), ("brightness", LIGHT_EDGES), ("skin_tone", TONE_EDGES)):
        share = ExpectLargestBinShareToBeAtMost(column=column, edges=list(edges), max_share=params.max_bin_share)
        yield Requirement(
            "balance", f"at most {params.max_bin_share:.0%} of the portraits in one bin of {column}", remedy, share
        )
    gap = ExpectGapBetweenSplitsToBeAtMost(column="skin_tone", edges=list(TONE_EDGES), max_gap=params.max_tone_gap)
    says = f"shares of skin tones that differ between splits by at most {params.max_tone_gap:.0%}"
    yield Requirement("balance", says, "change data.split.seed, or add identities", gap)
