"""The tag `study` of a version, by which a user study can hold back its promotion.

A study needs the trained challenger, which only exists after the gate's stage has its files; so the gate's demand is
recorded on the version (`required`, when `study.counts_in_gate` was true as it was registered), the study's verdict
takes its place, and `promote` reads it. As with the gate, what counts is what was demanded when it was registered.
"""

from collections.abc import Mapping

from models.errors import PromotionError
from pipeline.config.user_study import StudyParams
from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages
from pipeline.registry.versions import find_version, has_no_database

TAG = "study"
REQUIRED = "required"
PASSED = "not worse"
FAILED = "not shown"


def required_tags(params: StudyParams) -> dict[str, str]:
    """List the tags by which a version that is being registered requires a study."""
    return {TAG: REQUIRED} if params.counts_in_gate else {}


def require_study(tags: Mapping[str, str], number: str) -> None:
    """Refuse a version whose study is missing or did not show that it is not worse.

    Raises:
        PromotionError: so it is.
    """
    if (outcome := tags.get(TAG, PASSED)) != PASSED:
        raise PromotionError(
            "a version that a user study found not worse than the champion",
            f"version {number} with study={outcome}",
            "run `likeness study new`, `serve` and `report`, or pass --force",
        )


def study_verdict(paths: Paths, model_name: str, version: str) -> bool | None:
    """Read whether a study lets this version be promoted; None while one is required and has no verdict.

    Raises:
        PromotionError: no such version.
        ServiceUnavailable: MLflow does not answer.
    """
    outcome = find_version(connect(paths), model_name, version).tags.get(TAG, PASSED)
    return {PASSED: True, FAILED: False}.get(outcome)


def record_study(paths: Paths, model_name: str, digest: str, facts: Mapping[str, str]) -> list[str]:
    """Write a study's verdict on every version with these weights that waits for one.

    A verdict that is there stays: studies are not repeated until one says yes.

    Args:
        paths: the checkout.
        model_name: in the registry.
        digest: SHA-256 of the challenger's weights that the study showed.
        facts: tags, among them `study`.

    Returns:
        Numbers of the versions that were tagged now.
    """
    if has_no_database(paths):
        return []
    client, tagged = connect(paths), []
    with translate_outages(client.tracking_uri):
        for version in client.search_model_versions(f"name = '{model_name}'"):
            same = version.tags.get("weights_sha256") == digest
            if same and version.tags.get(TAG, REQUIRED) == REQUIRED:
                for name, value in facts.items():
                    client.set_model_version_tag(model_name, str(version.version), name, value)
                tagged.append(str(version.version))
    return tagged
