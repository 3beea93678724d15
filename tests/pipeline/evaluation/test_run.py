"""The proof: with the thresholds of params.yaml, bad models fail the gate and a perfect one passes. All parts real."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from models.errors import ConfigError, DataError
from models.evidence.evidence import Damaged
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import to_tensor
from models.package_files import FILES, file_sha256
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.config.identity import IdentityParams
from pipeline.config.load import Params, load_params
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.baselines import Method, baselines
from pipeline.evaluation.bench import Bench, Load
from pipeline.evaluation.examples import worst_strips
from pipeline.evaluation.gate_report import GateReport
from pipeline.evaluation.run import evaluate_methods, latency
from pipeline.evaluation.scoring import ROLES, Judges, encoder_digests
from pipeline.evaluation.test_set import Case
from pipeline.face_sampler.generate import portraits
from pipeline.gate import judge
from tests.conftest import ROOT
from tests.packs import write_recognition
from tests.portrait_site import damaged_case

CPU = torch.device("cpu")
IDENTITIES = 4


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params.yaml", {"evaluate.bootstrap": 200, "evaluate.batch_size": 4})


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges.load(CPU, load_params(ROOT / "params.yaml").identity)


@pytest.fixture(scope="module")
def cases(params: Params) -> list[Case]:
    sampler, rng = DamageSampler(params.masks, training=False), np.random.default_rng(5)
    people = portraits(SamplerParams(identities=IDENTITIES, views=1, seed=3, population=EVERYBODY))
    return [damaged_case(portrait, sampler, rng, least=0.1) for portrait in people]  # less tells no good model


def given(methods: Mapping[str, Method], cases: list[Case], judges: Judges) -> Load:
    bench = Bench(methods, cases, [case.portrait_id for case in cases], judges)
    return lambda: bench


def gated(challenger: Method, cases: list[Case], judges: Judges, params: Params, folder: Path) -> GateReport:
    known = baselines(shipped_face_model())
    methods = {"challenger": challenger, "champion": known["telea"]} | {n: known[n] for n in ("telea", "face-model")}
    report = evaluate_methods(given(methods, cases, judges), params.evaluate, folder / "rows.parquet", {})
    return judge(params.gate, report)


def untouched(damaged: Damaged) -> Tensor:
    return damaged.image


def oracle(cases: list[Case]) -> Method:
    """Knows the intact picture of each damaged one."""
    known = {to_tensor(case.damaged).numpy().tobytes(): to_tensor(case.target) for case in cases}
    return lambda damaged: torch.cat([known[image[None].numpy().tobytes()] for image in damaged.image])


def verdicts(report: GateReport) -> Mapping[str, str]:
    return {row.name: row.verdict for row in report.rows}


def test_a_model_that_returns_its_input_fails(
    cases: list[Case], judges: Judges, params: Params, tmp_path: Path
) -> None:
    report = gated(untouched, cases, judges, params, tmp_path)
    assert not report.passed
    assert verdicts(report)["lpips_vs_telea"] == "fail"
    assert verdicts(report)["known_pixels_changed"] == "pass"


def test_a_model_that_returns_the_target_passes(
    cases: list[Case], judges: Judges, params: Params, tmp_path: Path
) -> None:
    report = gated(oracle(cases), cases, judges, params, tmp_path)
    assert report.passed, report.rows
    rows = pd.read_parquet(tmp_path / "rows.parquet")
    perfect = rows[rows["method"] == "challenger"]
    assert perfect[["lpips", "pixel_mse", "identity_distance_independent"]].to_numpy() == pytest.approx(0.0, abs=1e-5)
    assert perfect["psnr"].eq(100.0).all()


def test_a_model_no_better_than_telea_fails(cases: list[Case], judges: Judges, params: Params, tmp_path: Path) -> None:
    report = gated(baselines(shipped_face_model())["telea"], cases, judges, params, tmp_path)
    assert [name for name, verdict in verdicts(report).items() if verdict == "fail"].count("lpips_vs_telea") == 1
    assert verdicts(report)["lpips_vs_champion"] == "pass"  # the same as the champion is no step back


def test_one_altered_known_pixel_fails_a_perfect_model(
    cases: list[Case], judges: Judges, params: Params, tmp_path: Path
) -> None:
    few = cases[:2]
    corner = few[0].damaged
    mark = tuple(np.argwhere(~few[0].chroma)[0])

    def careless(damaged: Damaged) -> Tensor:
        restored = oracle(few)(damaged)
        first = (damaged.image == to_tensor(corner)).flatten(1).all(dim=1)
        restored[first, 0, mark[0], mark[1]] += 1e-3
        return restored

    report = gated(careless, few, judges, params, tmp_path)
    assert [name for name, verdict in verdicts(report).items() if verdict != "pass"] == ["known_pixels_changed"]


def test_a_pack_judges_and_is_named(cases: list[Case], params: Params, tmp_path: Path) -> None:
    """SFace's graph as a pack, beside dlib in the loss: figures are those of SFace itself."""
    pack = write_recognition(tmp_path / "mine")
    identity = IdentityParams(edition="research", training="dlib", judge=str(pack.parent), detector="yunet")
    swapped = IdentityParams(edition="research", training="dlib", judge="sface", detector="yunet")
    methods = {"challenger": untouched}
    by_pack, by_sface = (
        evaluate_methods(given(methods, cases, Judges.load(CPU, one)), params.evaluate, tmp_path / "rows.parquet", {})
        for one in (identity, swapped)
    )
    assert by_pack.encoders == {"training": "dlib", "independent": "mine"}
    assert encoder_digests(identity) == {
        "training": FILES["dlib_recognition"].sha256,
        "independent": file_sha256(pack),
    }
    figures = [one.methods["challenger"]["all"] for one in (by_pack, by_sface)]
    for role in ROLES:
        distances = [figure[f"identity_distance_{role}"].value for figure in figures]
        assert distances[0] == pytest.approx(distances[1], abs=1e-4)
        assert distances[0] is not None
        assert distances[0] > 0.01


def test_one_encoder_in_both_roles_does_not_judge(tmp_path: Path) -> None:
    packs = [str(write_recognition(tmp_path / name).parent) for name in ("one", "other")]
    with pytest.raises(ConfigError, match="the same weights for training"):
        Judges.load(CPU, IdentityParams(edition="research", training=packs[0], judge=packs[1], detector="yunet"))


def test_rows_are_written_batch_by_batch(cases: list[Case], judges: Judges, params: Params, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    methods = {"challenger": untouched}
    twice = [*cases[:2], replace(cases[0], mask_id="again")]
    pairs = params.evaluate.model_copy(update={"batch_size": 2})
    report = evaluate_methods(given(methods, twice, judges), pairs, tmp_path / "rows.parquet", {"challenger": "x"})
    file = pq.ParquetFile(tmp_path / "rows.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [2, 1]
    assert (report.masks, report.portraits, report.identities) == (3, 2, 2)
    assert report.versions == {"challenger": "x"}
    assert report == type(report).model_validate_json(report.model_dump_json())


def test_worst_case_comes_first(cases: list[Case]) -> None:
    distances = [0.1, 0.9, 0.5]
    rows = pd.DataFrame(
        {
            "mask_id": [case.mask_id for case in cases[:3]],
            "method": "challenger",
            "identity_distance_independent": distances,
            "recognised_independent": [True, False, True],
        }
    )
    strips = worst_strips({"challenger": untouched}, cases[:3], rows, 2, CPU)
    assert [strip.title for strip in strips] == [f"1. {cases[1].identity}: {cases[1].kind}", strips[1].title]
    assert strips[1].title.startswith(f"2. {cases[2].identity}")
    assert [picture.caption for picture in strips[0].pictures] == ["target", "damaged", "challenger"]
    assert strips[0].pictures[2].note == "identity distance 0.900, NOT recognised"
    assert strips[0].pictures[2].uri == strips[0].pictures[1].uri  # it returned its input


def test_nothing_to_evaluate(judges: Judges, params: Params, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="evaluation cases; got none"):
        evaluate_methods(given({}, [], judges), params.evaluate, tmp_path / "rows.parquet", {})


def test_latency_is_the_median(cases: list[Case]) -> None:
    calls = []

    def method(damaged: Damaged) -> Tensor:
        calls.append(len(damaged.image))
        return damaged.image

    assert latency(method, cases[0], CPU, runs=5) < 50
    assert calls == [1] * 6  # one to warm up
