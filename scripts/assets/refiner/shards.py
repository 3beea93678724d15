"""Evidence of damaged portraits, stored once in shards: a training step then costs its networks alone.

Every portrait comes with many masks, completed by a face model that has not seen its person. A shard is a pure function
of the seed and its number; shards that are there are not made anew.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from models.assets import RESEARCH
from models.face_model.fit import bend, fit, fit_bent
from models.face_model.shape_and_appearance import built_face_model
from models.face_model.stored import StoredFaceModel
from models.images import to_tensor
from pipeline.config.masks import MaskParams
from pipeline.config.training import EvidenceParams
from pipeline.portraits.read import load_image
from pipeline.project.paths import Paths
from pipeline.training.dataset import DamagedPortraits, collate
from pipeline.training.face_models import FaceModels, fold
from scripts.assets.refiner.records import save_records, to_records

COMPONENTS = 700
"""Of the face model that ships: further ones gain little, and cost 12 kB each."""
FOLDS = 4
WHOLE = "face_model.safetensors"
TIMES = {"ffhq256": 3, "congress": 2}
"""How often people of a source are drawn for each time that others are: real ones whose finest detail is sharp."""
KINDS = {"crack": 0.5, "speck": 0.3}
"""Weights of the kinds of damage that the parameters leave out."""
_BATCH = 16

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawing:
    """What shards are drawn from.

    Attributes:
        paths: workspace of the portraits.
        rows: of the people, with the column `folder`.
        masks: section `masks` of the parameters.
        evidence: section `train.evidence`; the identity hint is kept in every record.
        models: face models.
        seed: of portraits, damage and references.
        pairs: records in a shard.
    """

    paths: Paths
    rows: pd.DataFrame
    masks: MaskParams
    evidence: EvidenceParams
    models: FaceModels
    seed: int
    pairs: int


def fit_models(paths: Paths, rows: pd.DataFrame, folder: Path) -> FaceModels:
    """Fit the face model that ships, and for each fold one to the people of the others; those in `folder` are read.

    All have the mean shape and the noise of the first, which no single person moves: so portraits are bent once.

    Args:
        paths: workspace of the portraits.
        rows: of the people to fit to; one picture of each counts.
        folder: where the models are kept, the first as `WHOLE`.

    Returns:
        The models of the folds.
    """
    files = [folder / f"fold-{number}-of-{FOLDS}.safetensors" for number in range(FOLDS)]
    if not all(file.is_file() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        people = rows.drop_duplicates("identity")
        pictures = to_tensor(np.stack([load_image(paths, portrait_id) for portrait_id in people["portrait_id"]]))
        faces = bend(pictures, RESEARCH)
        whole = fit_bent(faces, COMPONENTS, torch.Generator().manual_seed(0))
        facts = {"components": COMPONENTS, "portraits": people["folder"].value_counts().to_dict()}
        StoredFaceModel.compress(whole).save(folder / WHOLE, facts)
        own = people["identity"].map(lambda identity: fold(identity, FOLDS)).to_numpy()
        for number, file in enumerate(files):
            log.info("face model without the people of fold %d of %d", number + 1, FOLDS)
            others = fit(faces[own != number].pictures, COMPONENTS)
            stored = StoredFaceModel.compress(whole | others | {"noise": whole["noise"]})
            stored.save(file, {"fold": number})
    whole_model = StoredFaceModel.load(folder / WHOLE)
    folds = [built_face_model(StoredFaceModel.load(file)) for file in files]
    return FaceModels(whole_model, built_face_model(whole_model), folds)


def make_shards(drawing: Drawing, folder: Path, count: int) -> None:
    """Make the shards 0 to `count` - 1 that are not there yet."""
    for number in range(count):
        file = folder / f"{number:05d}.npy"
        if not file.is_file():
            make_shard(drawing, number, file)
            log.info("shard %d of %d", number + 1, count)


def make_shard(drawing: Drawing, number: int, file: Path) -> None:
    """Draw the pairs of one shard and write them."""
    samples = DamagedPortraits(
        paths=drawing.paths,
        rows=drawn_rows(drawing.rows),
        masks=harder(drawing.masks),
        evidence=drawing.evidence.model_copy(update={"hint_dropout": 0.0}),
        models=drawing.models,
        seed=drawing.seed,
        first=number * drawing.pairs,
        count=drawing.pairs,
        flip=True,
    )
    batches = (range(start, min(start + _BATCH, drawing.pairs)) for start in range(0, drawing.pairs, _BATCH))
    parts = [to_records(collate([samples[n] for n in numbers], drawing.models.whole)) for numbers in batches]
    save_records(np.concatenate(parts), file)


def harder(masks: MaskParams) -> MaskParams:
    """Add the kinds of damage that the parameters leave out of training."""
    training = masks.training.model_copy(update={"kind_weights": masks.training.kind_weights | KINDS})
    return masks.model_copy(update={"training": training})


def drawn_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Repeat the rows of each source as often as `TIMES` says."""
    times = rows["folder"].map(lambda folder: TIMES.get(folder, 1)).to_numpy(np.int64)
    return rows.loc[rows.index.repeat(times)].reset_index(drop=True)
