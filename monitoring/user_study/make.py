"""Make a study from a checkout: people of the test split, their frozen damage, restored anew by every method."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
import torch

from models.errors import DataError
from models.identity.encoders import DifferentiableEncoder, training_encoder
from models.images import Image, to_uint8
from models.load import load_restorer
from models.restorer_file import load_face_model
from models.weight_files import weights_sha256
from monitoring.user_study.attention_check import plant_eye
from monitoring.user_study.design import MIN_PEOPLE, choose_cases, method_pairs
from monitoring.user_study.heat_map import region_masks, region_shares
from monitoring.user_study.schema import INTACT, PLANTED, REFERENCE, Person, Study
from pipeline.config.user_study import StudyParams
from pipeline.evaluation.baselines import Method, baselines
from pipeline.evaluation.test_set import Case, FrozenCases, damaged_batch, point_batch, target_batch
from pipeline.image_io.write import png_bytes
from pipeline.portraits.read import landmarks_of, load_image, read_masks, read_portraits
from pipeline.project.environment import environment
from pipeline.project.files import fresh_folder, write_text
from pipeline.project.paths import Paths
from pipeline.registry.champion import read_champion

MODELS = ("champion", "challenger")
METHODS = (*MODELS, "telea", "navier-stokes", "face-model", INTACT)
"""What may be compared; `intact` is the undamaged original, a control."""


@dataclass(frozen=True)
class Plan:
    """What a new study is to be; `encoder`, a name of section `identity`, finds the least alike other person."""

    name: str
    methods: tuple[str, ...]
    params: StudyParams
    encoder: str


def make_study(plan: Plan, paths: Paths, now: datetime) -> Study:
    """Choose people, restore, write the study's folder; returns the study.

    Raises:
        DataError: unknown or too few methods, too few people in the test split, or missing stages.
        WeightsError: weights of a model are missing or damaged.
    """
    _check_methods(plan.methods)
    cases, portraits = FrozenCases(paths), read_portraits(paths).set_index("portrait_id")
    chosen = [cases[i] for i in choose_cases(_table(paths), plan.params.people, plan.params.seed)]
    if len(chosen) < MIN_PEOPLE:
        raise DataError(
            f"at least {MIN_PEOPLE} people with masks in the test split",
            str(len(chosen)),
            "give the test split more people, then run the stages ingest and masks",
        )
    _check_references(plan.methods, chosen, portraits)
    device = torch.device(environment().device)
    methods, digests = _methods(plan.methods, paths, device)
    study_id = f"{now:%Y%m%d}-{secrets.token_hex(3)}"
    others = _least_alike(chosen, training_encoder(plan.encoder), device)
    with fresh_folder(paths.studies / study_id) as folder:
        people = [
            _person(case, other, methods, portraits, paths, folder) for case, other in zip(chosen, others, strict=True)
        ]
        study = Study(
            study_id=study_id,
            name=plan.name,
            created=now,
            methods=plan.methods,
            digests=digests,
            params=plan.params,
            people=tuple(people),
        )
        write_text(folder / "study.json", study.model_dump_json(indent=1) + "\n")
    return study


def _check_methods(methods: Sequence[str]) -> None:
    if unknown := [name for name in methods if name not in METHODS]:
        raise DataError(f"methods of {', '.join(METHODS)}", ", ".join(unknown), "correct --methods")
    if len(set(methods)) != len(methods) or not method_pairs(methods):
        raise DataError("two or more different methods", ", ".join(methods) or "none", "correct --methods")


def _check_references(methods: Sequence[str], cases: Sequence[Case], portraits: pd.DataFrame) -> None:
    """Refuse a pair of which one side is the original shown above it: that would be the answer."""
    alone = sum(_another_view(case, portraits) is None for case in cases)
    if INTACT in methods and alone:
        raise DataError(
            "a second photo of every person, to compare with intact",
            f"{alone} people with one photo",
            "leave intact out of --methods: it is shown as a control among what looks invented anyway",
        )


def _table(paths: Paths) -> pd.DataFrame:
    """Build a table of identity and bucket of every frozen case, in their order."""
    people = read_portraits(paths)[["portrait_id", "identity"]]
    return read_masks(paths).merge(people, on="portrait_id", how="left")[["identity", "bucket"]]


def _methods(names: Sequence[str], paths: Paths, device: torch.device) -> tuple[dict[str, Method], dict[str, str]]:
    """Load the methods that restore, and the digests of their models."""
    digests: dict[str, str] = {}
    known = baselines(load_face_model(paths.champion_weights))
    methods = {name: method for name, method in known.items() if name in names}
    if "champion" in names:
        digests["champion"] = read_champion(paths).sha256
        methods["champion"] = load_restorer(paths.champion_weights, digests["champion"], device).restore
    if "challenger" in names:
        digests["challenger"] = weights_sha256(paths.trained_weights)
        methods["challenger"] = load_restorer(paths.trained_weights, digests["challenger"], device).restore
    return methods, digests


@torch.inference_mode()
def _least_alike(cases: Sequence[Case], encoder: DifferentiableEncoder, device: torch.device) -> list[int]:
    """Find, for each person, the one with the least similar face: clearly another person."""
    embedded = encoder.to(device).embed(target_batch(cases, device), point_batch(cases, device))
    return [int(i) for i in (embedded @ embedded.T).argmin(dim=1)]


@torch.inference_mode()
def _person(
    case: Case, other: int, methods: dict[str, Method], portraits: pd.DataFrame, paths: Paths, folder: Path
) -> Person:
    landmarks = landmarks_of(portraits.loc[case.portrait_id])
    damaged = damaged_batch([case], torch.device(environment().device))
    view = _another_view(case, portraits)
    planted, place = plant_eye(case.target, landmarks)
    pictures: dict[str, Image] = {name: to_uint8(method(damaged))[0] for name, method in methods.items()}
    pictures |= {
        INTACT: case.target,
        PLANTED: planted,
        REFERENCE: case.target if view is None else load_image(paths, view),
    }
    return Person(
        identity=case.identity,
        portrait_id=case.portrait_id,
        mask_id=case.mask_id,
        bucket=case.bucket,
        coverage=case.coverage,
        other=other,
        has_view=view is not None,
        landmarks=tuple(float(v) for v in ((landmarks + 0.5) / case.target.shape[0]).ravel()),
        planted=place,
        pictures={name: _write(folder / "pictures", image) for name, image in pictures.items()},
        missing=region_shares(case.chroma, region_masks(landmarks, case.chroma.shape[0])),
    )


def _another_view(case: Case, portraits: pd.DataFrame) -> str | None:
    """Find another photo of the person, the first by its id; None if there is none."""
    views = portraits.index[(portraits["identity"] == case.identity) & (portraits.index != case.portrait_id)]
    return min(map(str, views), default=None)


def _write(folder: Path, image: Image) -> str:
    """Store a picture under a name that says nothing about it; returns the name."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{secrets.token_hex(8)}.png"
    (folder / name).write_bytes(png_bytes(image))
    return name
