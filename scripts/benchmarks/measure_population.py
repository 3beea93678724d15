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

import pandas as pd
import torch

from models.assets import ASSETS
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from pipeline.ablation.common import portrait_of
from pipeline.ablation.populations import TELEA, compare_methods, measure_population
from pipeline.config.load import load_params
from pipeline.config.training import FaceModelParams
from pipeline.evaluation.baselines import Method, complete
from pipeline.evaluation.scoring import Judges
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
    before = fit_face_models(paths, others, begin, model, SEED, params.identity.edition)
    taken_in = learning[learning["absent"]].sample(arguments.taken_in, random_state=SEED)
    models = {"before": before} | {
        f"prior weight {weight:g}": further(paths, taken_in, before.stored, model, weight)
        for weight in arguments.weights
    }
    judges = Judges.load(torch.device("cpu"), params.identity)
    methods: dict[str, Method] = {name: partial(complete, face_model=one.whole) for name, one in models.items()}
    for group, absent in (("the population", True), ("everybody else", False)):
        people = rows[(rows["split"] == "test") & (rows["absent"] == absent)]
        chosen = people.sort_values("portrait_id").head(arguments.people)
        portraits = [portrait_of(paths, row) for _, row in chosen.iterrows()]
        print(f"\n{group}: {len(portraits)} people of the test split\n")
        found = measure_population(methods, portraits, params.masks, judges, arguments.damages, SEED)
        print("\n".join(table(found, params.evaluate.bootstrap)))


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
    weighed = params.model_copy(update={"prior_weight": weight})
    return fit_face_models(paths, rows, before, weighed, SEED, before.edition)


def table(rows: pd.DataFrame, resamples: int) -> list[str]:
    """Ratios of identity distance (dlib) and LPIPS to the model before, and to Telea."""
    lines = ["| model | identity distance / before | LPIPS / before | identity distance / Telea |", "|---|---|---|---|"]
    for name in [name for name in rows["method"].unique() if name != TELEA]:
        to_before, to_telea = (compare_methods(rows, name, other, resamples, SEED) for other in ("before", TELEA))
        found = (to_before["identity"], to_before["lpips"], to_telea["identity"])
        lines.append(f"| {name} | {' | '.join(f'{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]' for one in found)} |")
    return lines


if __name__ == "__main__":
    main()
