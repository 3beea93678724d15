"""What a cycle does for a population that the model has not seen: fit without it, meet it, fit further, measure.

`python -m scripts.benchmarks.measure_population --portraits DIR --folders ffhq256 congress`: the third of the people
with the darkest measured skin tone is left out of a face model, then 200 of them are taken in. Judged on people of the
test split, by identity distance (dlib, which trains nothing) of the face model's completions, with the same damage
before and after. Ingest, damage and bootstrap are seeded.
"""

import argparse
import logging
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from models.assets import ASSETS
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from pipeline.ablation.common import (
    SIMILARITY,
    Portrait,
    case_of,
    embed_intact,
    measure_cases,
    portrait_of,
    portrait_rng,
)
from pipeline.config.load import Params, load_params
from pipeline.config.training import FaceModelParams
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.baselines import Method, classical, complete
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.evaluation.scoring import Judges
from pipeline.evaluation.test_set import Case
from pipeline.portraits.read import read_portraits
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.stages import run_stage
from pipeline.training.face_models import FaceModels, fit_face_models
from pipeline.workspaces.create import create_workspace

WEIGHTS = (2.0, 1.0, 0.5, 0.25, 0.1)
"""Prior weights that are tried."""
SAMPLED = 900
"""People of the sampler."""
SEED = 5


def main() -> None:
    """Ingest, fit, measure; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--portraits", type=Path, help="folder of folders of portraits; the sampler's people without it"
    )
    parser.add_argument("--folders", nargs="+", default=["ffhq256", "congress"])
    parser.add_argument("--workspace", type=Path, default=Path("build/population"))
    parser.add_argument(
        "--known", type=int, default=0, help="people that the model before is fitted to; 0 = all others"
    )
    parser.add_argument("--from-shipped", action="store_true", help="fit the model before further than the shipped one")
    parser.add_argument("--taken-in", type=int, default=200, help="people of the population that the cycle takes in")
    parser.add_argument("--people", type=int, default=40, help="of each group, that are measured")
    parser.add_argument("--damages", type=int, default=3, help="of each portrait")
    parser.add_argument("--weights", type=float, nargs="+", default=WEIGHTS, help="prior weights")
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    paths = ingested(
        arguments.portraits and arguments.portraits.resolve(), arguments.folders, arguments.workspace.resolve()
    )
    params, rows = load_params(paths.params), read_portraits(paths)
    rows["absent"] = rows["skin_tone"] < rows["skin_tone"].quantile(1 / 3)
    learning = rows[rows["split"] == "train"]
    model = params.train.face_model.model_copy(update={"folds": 0})
    others = learning[~learning["absent"]].sample(frac=1.0, random_state=SEED).head(arguments.known or len(learning))
    begin = StoredFaceModel.load(FACE_MODEL) if arguments.from_shipped else None
    before = fit_face_models(paths, others, begin, model, SEED)
    taken_in = learning[learning["absent"]].sample(arguments.taken_in, random_state=SEED)
    models = {"before": before} | {
        f"prior weight {weight:g}": further(paths, taken_in, before.stored, model, weight)
        for weight in arguments.weights
    }
    methods: dict[str, Method] = {name: partial(complete, face_model=one.whole) for name, one in models.items()}
    for group, absent in (("the population", True), ("everybody else", False)):
        people = rows[(rows["split"] == "test") & (rows["absent"] == absent)]
        chosen = people.sort_values("portrait_id").head(arguments.people)
        portraits = [portrait_of(paths, row) for _, row in chosen.iterrows()]
        print(f"\n{group}: {len(portraits)} people of the test split\n")
        print("\n".join(table(measured(methods, portraits, params, arguments.damages), params.evaluate.bootstrap)))


def ingested(portraits: Path | None, folders: Sequence[str], workspace: Path) -> Paths:
    """Ingest the portraits of some folders, or people of the sampler, in a workspace of their own."""
    paths, together = Paths(workspace), workspace / "portraits"
    if paths.portrait_rows.is_file():
        return paths
    together.mkdir(parents=True, exist_ok=True)
    sources = [] if portraits is None else [portraits / folder for folder in folders]
    for file in sorted(file for folder in sources for file in folder.iterdir() if file.is_file()):
        shutil.copyfile(file, together / f"{file.parent.name}-{file.name}")
    settings: dict[str, object] = {"data.source": "folder", "data.location": str(together)}
    if portraits is None:
        settings = {"data.source": "sampler", "data.sampler.identities": SAMPLED, "data.sampler.views": 1}
    create_workspace(ASSETS.parent, workspace, settings)
    run_stage("ingest", workspace)
    return paths


def further(
    paths: Paths, rows: pd.DataFrame, before: StoredFaceModel, params: FaceModelParams, weight: float
) -> FaceModels:
    """Fit a model further to the people of `rows`, by a prior weight."""
    return fit_face_models(paths, rows, before, params.model_copy(update={"prior_weight": weight}), SEED)


def measured(methods: dict[str, Method], portraits: Sequence[Portrait], params: Params, damages: int) -> pd.DataFrame:
    """Measure every method and Telea on the same damage, a row each."""
    judges = Judges.load(torch.device("cpu"), params.identity)
    cases = [case for portrait in portraits for case in damaged(portrait, params, damages)]
    telea: dict[str, Method] = {"telea": partial(classical, method="telea")}
    intact = embed_intact(portraits, judges, params.evaluate.batch_size)
    return measure_cases(telea | methods, cases, intact, judges, params.evaluate.batch_size)


def damaged(portrait: Portrait, params: Params, count: int) -> list[Case]:
    """Damage a portrait several times, kinds and coverage in turn."""
    sampler, rng = DamageSampler(params.masks, training=False), portrait_rng(portrait, SEED)
    drawn = [sampler.sample(rng, portrait.landmarks, portrait.image.shape[0]) for _ in range(count)]
    return [
        case_of(portrait, damage.hole, damage.chroma, record.kind, f"{number}")
        for number, (damage, record) in enumerate(drawn)
    ]


def table(rows: pd.DataFrame, resamples: int) -> list[str]:
    """Ratios of identity distance (dlib) and LPIPS to the model before, and to Telea."""
    columns = {"identity": f"{SIMILARITY}independent", "LPIPS": "lpips"}
    wide = {
        name: rows.pivot_table(index="mask_id", columns="method", values=column) for name, column in columns.items()
    }
    wide["identity"] = 1 - wide["identity"]
    people = rows.drop_duplicates("mask_id").set_index("mask_id").loc[wide["LPIPS"].index, "identity"]
    bootstrap = Bootstrap(people.tolist(), resamples, np.random.default_rng(SEED))
    lines = ["| model | identity distance / before | LPIPS / before | identity distance / Telea |", "|---|---|---|---|"]
    for name in [name for name in rows["method"].unique() if name != "telea"]:
        cells = [ratio(bootstrap, wide[figure], name, "before") for figure in ("identity", "LPIPS")]
        lines.append(f"| {name} | {' | '.join([*cells, ratio(bootstrap, wide['identity'], name, 'telea')])} |")
    return lines


def ratio(bootstrap: Bootstrap, wide: pd.DataFrame, name: str, other: str) -> str:
    """The ratio of two methods' means, with its interval."""
    (found,) = bootstrap.ratios(wide[[name]].to_numpy(), wide[[other]].to_numpy())
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main()
