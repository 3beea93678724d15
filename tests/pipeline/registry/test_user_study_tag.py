"""A study counts in the gate through the tag that a version carries: with and without it, both ways."""

import pytest

from models.errors import PromotionError
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote
from pipeline.registry.register import register
from pipeline.registry.user_study_tag import record_study, require_study, required_tags, study_verdict
from pipeline.registry.versions import find_version
from tests.pipeline.registry.site import NAME, lay_out, params

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


def digest_of(paths: Paths, number: str) -> str:
    return str(find_version(connect(paths), NAME, number).tags["weights_sha256"])


def require(paths: Paths, number: str) -> None:
    connect(paths).set_model_version_tag(NAME, number, "study", "required")


def test_the_demand_is_recorded_when_params_say_so() -> None:
    study = params().study
    assert required_tags(study) == {}
    assert required_tags(study.model_copy(update={"counts_in_gate": True})) == {"study": "required"}


@pytest.mark.parametrize("found", ["required", "not shown", "anything"])
def test_only_not_worse_lets_a_version_through(found: str) -> None:
    with pytest.raises(PromotionError, match=f"found not worse than the champion; got version 7 with study={found}"):
        require_study({"study": found}, "7")
    require_study({"study": "not worse"}, "7")
    require_study({}, "7")


def test_promotion_waits_for_the_study_and_follows_it(site: Paths) -> None:
    for number in ("1", "2"):
        require(site, number)
    with pytest.raises(PromotionError, match="version 1 with study=required; run `likeness study new`"):
        promote(site, NAME, "1")
    assert study_verdict(site, NAME, "1") is None
    assert record_study(site, NAME, "f" * 64, {"study": "not worse"}) == []  # other weights
    assert record_study(site, NAME, digest_of(site, "1"), {"study": "not worse", "study_id": "s1"}) == ["1"]
    assert record_study(site, NAME, digest_of(site, "2"), {"study": "not shown", "study_id": "s2"}) == ["2"]
    assert (study_verdict(site, NAME, "1"), study_verdict(site, NAME, "2")) == (True, False)
    assert promote(site, NAME, "1").champion == "1"
    with pytest.raises(PromotionError, match="study=not shown"):
        promote(site, NAME, "2")
    assert record_study(site, NAME, digest_of(site, "2"), {"study": "not worse"}) == []  # no second try
    assert promote(site, NAME, "2", force=True).champion == "2"


def test_a_version_of_which_no_study_is_demanded_needs_none(site: Paths) -> None:
    assert study_verdict(site, NAME, "1") is True
    assert promote(site, NAME, "1").champion == "1"


def test_registering_carries_the_demand(site: Paths) -> None:
    lay_out(site, 9)
    asked = params()
    asked = asked.model_copy(update={"study": asked.study.model_copy(update={"counts_in_gate": True})})
    registered = register(paths=site, params=asked)
    assert study_verdict(site, NAME, registered.version) is None
    with pytest.raises(PromotionError, match="study=required"):
        promote(site, NAME, "challenger")


def test_nothing_is_recorded_where_nothing_was_registered(local_mlflow: Paths) -> None:
    assert record_study(local_mlflow, NAME, "f" * 64, {"study": "not worse"}) == []
    assert not local_mlflow.mlflow_database.exists()
