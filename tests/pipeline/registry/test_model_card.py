"""What the card says of the encoders, and of the licence of packs."""

import itertools

from models.face_networks.insightface_pack import LICENCE
from pipeline.gate import judge
from pipeline.registry.lineage import Provenance
from pipeline.registry.model_card import CardFacts, model_card
from tests.pipeline.registry.site import evaluate_report, params

ORIGIN = Provenance(data_digest="d" * 64, git_revision="abc", git_dirty=False, dvc_lock_sha256="e" * 64)


def card(**identity: str) -> str:
    known = params()
    chosen = known.model_copy(update={"identity": known.identity.model_copy(update=identity)})
    evaluation = evaluate_report("0" * 64, 0.5).model_copy(update={"encoder_sha256": {"independent": "f" * 64}})
    return model_card(CardFacts(chosen, ORIGIN, evaluation, judge(known.gate, evaluation), "shipped", 4746.0))


def test_packs_bring_their_licence() -> None:
    assert f"{LICENCE}; used here: mine, buffalo_l." in card(judge="/packs/mine", detector="buffalo_l")
    assert LICENCE not in card()


def test_the_judge_is_named_by_its_weights() -> None:
    assert f"- independent encoder: SHA-256 `{'f' * 64}`" in card()


def test_each_paragraph_is_one_line() -> None:
    lines = card().splitlines()
    for line, after in itertools.pairwise(lines):
        assert not line or not after or after[0] in "|-", (line, after)
    assert any(line.startswith("- What is missing") and line.endswith("report of this run.") for line in lines)
