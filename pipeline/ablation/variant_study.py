"""The variant study: train small networks on scaled portraits with several seeds, and measure all of them."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

from models.identity.encoders import IdentityEncoder
from models.images import Image
from models.restorer_file import read_face_model
from pipeline.ablation.common import Portrait, case_of, embed_intact, measure_cases, portrait_rng, read_split
from pipeline.ablation.results import VariantFigures
from pipeline.ablation.variants import COMPLETE, NO_PHOTO, variant_figures, variant_params
from pipeline.config.ablation import AblateParams
from pipeline.config.masks import MaskParams
from pipeline.config.training import TrainParams
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.scoring import Judges
from pipeline.evaluation.test_set import Case
from pipeline.image_io.write import png_bytes
from pipeline.portraits.read import load_image, read_portraits
from pipeline.project.paths import Paths
from pipeline.training.dataset import CachedBatches, DamagedPortraits, batches
from pipeline.training.face_models import FaceModels

if TYPE_CHECKING:
    from models.kinds import StoredRestorer


def lay_out_small(source: Paths, target: Paths, size: int, limits: Mapping[str, int]) -> None:
    """Write data/portraits of `target`: those of `source`, scaled to `size` pixels a side.

    Args:
        source: a checkout after ingest.
        target: a folder for the smaller one.
        size: side, pixels; not larger than in `source`.
        limits: at most so many portraits by split, the first by id; all of a split that is not named.
    """
    rows = read_portraits(source).sort_values("portrait_id")
    rank = rows.groupby("split").cumcount()
    rows = rows[rank < rows["split"].map(limits).fillna(len(rows))].copy()
    target.portrait_images.mkdir(parents=True, exist_ok=True)
    factor = 1.0
    for name in rows["portrait_id"]:
        image = load_image(source, name)
        factor = size / image.shape[0]
        small = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        (target.portrait_images / f"{name}.png").write_bytes(png_bytes(small))
    for column in ("points", "landmarks"):
        rows[column] = rows[column].map(lambda value: _scaled(value, factor))
    rows.to_parquet(target.portrait_rows)


def _scaled(coordinates: object, factor: float) -> list[float]:
    """Scale a portrait. Pixel centres lie at whole numbers: the picture's edge is at -0.5."""
    moved: list[float] = ((np.asarray(coordinates, np.float32) + 0.5) * factor - 0.5).tolist()
    return moved


_LEARNT, _HELD_OUT = 400, 16
"""Portraits that the small networks learn from, and that each of their few validations looks at."""

_log = logging.getLogger(__name__)


def variant_report(
    train: TrainParams, masks: MaskParams, paths: Paths, judges: Judges, params: AblateParams
) -> dict[str, VariantFigures]:
    """Train and measure every variant with every seed.

    Args:
        train: the section; a variant changes as little of it as it can.
        masks: damage of training and measurement.
        paths: a checkout after ingest; nothing in it is changed.
        judges: encoders and LPIPS.
        params: section `ablate`.
    """
    with TemporaryDirectory() as folder:
        site = Paths(Path(folder))
        limits = {"train": _LEARNT, "validation": _HELD_OUT}
        lay_out_small(paths, site, params.variants.image_size, limits | {params.split: 10 * params.variants.portraits})
        face_models = FaceModels.of_stored(read_face_model(paths.champion_weights))
        rows, seconds = _measure_variants(train, masks, site, face_models, judges, params)
    return variant_figures(rows, seconds, params)


def _measure_variants(
    train: TrainParams,
    masks: MaskParams,
    site: Paths,
    face_models: FaceModels,
    judges: Judges,
    params: AblateParams,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Measure every variant and seed, all on one face model: rows, and the training time of each variant."""
    table = read_portraits(site)
    portraits = read_split(site, table, params.split, params.variants.portraits, params.seed)
    training_batches = TrainingBatches(site, table, masks, face_models)
    intact = embed_intact(portraits, judges, params.batch_size)
    cases, photos = damaged_portraits(portraits, masks, params), other_photos(site, table, portraits)
    frames, seconds = [], dict[str, float]()
    for seed in params.variants.seeds:
        for name in (COMPLETE, *params.variants.names):
            started = time.monotonic()
            restorer = _train_network(
                variant_params(train, params, name, seed),
                judges.encoders["training"],
                training_batches,
                site,
                params.variants.image_size,
            )
            seconds[name] = seconds.get(name, 0.0) + time.monotonic() - started
            _log.info("ablate: %s, seed %d: trained in %.0f s", name, seed, time.monotonic() - started)
            for label, given in references_by_variant(name, photos).items():
                rows = measure_cases(
                    {label: restorer.restore}, cases, intact, judges, params.batch_size, references=given
                )
                frames.append(rows.assign(variant=label, seed=seed))
    return pd.concat(frames, ignore_index=True), seconds


def references_by_variant(name: str, photos: Mapping[str, Image]) -> dict[str, Mapping[str, Image]]:
    """Choose reference photos for each variant that a network is measured as."""
    if name == COMPLETE:
        return {COMPLETE: photos, NO_PHOTO: {}}
    return {name: {} if name == "reference" else photos}


def damaged_portraits(portraits: Sequence[Portrait], masks: MaskParams, params: AblateParams) -> list[Case]:
    """Damage every portrait once, kinds and coverage buckets in turn as in the frozen set."""
    sampler, cases = DamageSampler(masks, training=False), []
    for portrait in portraits:
        damage, record = sampler.sample(
            portrait_rng(portrait, params.seed + 2), portrait.landmarks, portrait.image.shape[0]
        )
        cases.append(case_of(portrait, damage.hole, damage.chroma, record.kind, record.bucket))
    return cases


def other_photos(paths: Paths, table: pd.DataFrame, portraits: Sequence[Portrait]) -> dict[str, Image]:
    """Choose another photo of the person by portrait: the next by id, in a ring; people with one are left out."""
    photos = {}
    for portrait in portraits:
        ids = np.sort(table["portrait_id"][table["identity"] == portrait.identity].to_numpy(str))
        if len(ids) > 1:
            following = (int(np.searchsorted(ids, portrait.portrait_id)) + 1) % len(ids)
            photos[portrait.portrait_id] = load_image(paths, str(ids[following]))
    return photos


class TrainingBatches:
    """Batches of the stage's own sampling, drawn once for all designs that see the same: evidence is costly."""

    def __init__(self, site: Paths, table: pd.DataFrame, masks: MaskParams, face_models: FaceModels) -> None:
        self._site, self._table, self._masks, self.face_models = site, table, masks, face_models
        self._kept: dict[str, tuple[CachedBatches, CachedBatches]] = {}

    def of(self, train: TrainParams) -> tuple[CachedBatches, CachedBatches]:
        """Draw the batches for training, and those held out."""
        key = f"{train.seed} {train.evidence.model_dump_json()}"
        if key not in self._kept:
            self._kept = {name: pair for name, pair in self._kept.items() if name.startswith(f"{train.seed} ")}
            self._kept[key] = self._drawn(train, "train"), self._drawn(train, "validation")
        return self._kept[key]

    def _drawn(self, train: TrainParams, split: str) -> CachedBatches:
        rows = self._table[self._table["split"] == split].reset_index(drop=True)
        learning = split == "train"
        count = train.steps_per_epoch * train.batch_size if learning else min(len(rows), _HELD_OUT)
        seed = train.seed if learning else train.seed + 1
        samples = DamagedPortraits(
            self._site, rows, self._masks, train.evidence, self.face_models, seed, 0, count, flip=learning
        )
        return CachedBatches(batches(samples, train.batch_size, 0))


def _train_network(
    train: TrainParams, encoder: IdentityEncoder, training_batches: TrainingBatches, site: Paths, size: int
) -> "StoredRestorer":
    """Train one small network, by the stage's modules and loop."""
    from pipeline.training.build import build_module
    from pipeline.training.loop import fit

    learning, held_out = training_batches.of(train)
    module = build_module(train, encoder, site)
    fit(module, lambda _: learning, held_out, train, site.checkpoints / "last.ckpt", _ignore_figures)
    return module.restorer(size, training_batches.face_models.whole)


def _ignore_figures(_: dict[str, float], __: int) -> None:
    """Do nothing: only the means of the small networks are logged."""
