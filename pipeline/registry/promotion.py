"""Promote, roll back and retire versions: under a lock, all or nothing, also across a crash (`alias_moves`).

The lock is a file: it serves one machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from models.errors import PromotionError
from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths
from pipeline.registry.alias_moves import (
    Aliases,
    Tagged,
    all_aliases,
    journal_file,  # noqa: F401 - who promotes may ask for it here
    move_aliases,
    repair_aliases,
)
from pipeline.registry.client import connect, translate_outages
from pipeline.registry.user_study_tag import require_study
from pipeline.registry.versions import SHIPPED, find_version, standing_of
from pipeline.registry.weights import verify_weights

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

_LOCK_SECONDS = 10.0


class Promotion(BaseModel):
    """Who is champion now, and who was; `shipped` stands for the model of assets/."""

    model_config = ConfigDict(frozen=True)

    champion: str
    previous: str


def promote(paths: Paths, model_name: str, version: str, *, force: bool = False) -> Promotion:
    """Make a version the champion and the old champion `previous`; a challenger alias on the version is taken off.

    Args:
        paths: the checkout.
        model_name: in the registry.
        version: its number, or an alias such as `challenger`.
        force: promote even a version that did not pass the gate or its user study; its weights are verified all the
            same.

    Raises:
        PromotionError: no such version, or it did not pass the gate or the user study that it needs.
        WeightsError: the stored weights are not the ones that were registered.
        Busy: another promotion is under way.
        ServiceUnavailable: MLflow does not answer.
    """
    with promotion_lock(paths):
        client = connect(paths)
        repair_aliases(client, paths)
        registered, standing = find_version(client, model_name, version), standing_of(client, model_name)
        number, before = str(registered.version), all_aliases(standing)
        if before["champion"] == number:
            return _outcome(before)
        if (gate := registered.tags.get("gate", "unknown")) != "passed" and not force:
            raise PromotionError(
                "a version that passed the gate",
                f"version {number} with gate={gate}",
                "train a better one, or pass --force",
            )
        if not force:
            require_study(registered.tags, number)
        verify_weights(client, registered)
        challenger = None if before["challenger"] == number else before["challenger"]
        # where the champion was deleted, a rollback leads to the one before it
        previous = before["previous"] if standing.champion().lost else before["champion"]
        after = {"previous": None if previous == number else previous, "champion": number, "challenger": challenger}
        tagged = _tagged(registered, promoted_at=_now(), promotion="forced" if gate != "passed" else "gate")
        move_aliases(client, paths, model_name, after, chosen=True, tagged=tagged)
        return _outcome(after)


def rollback(paths: Paths, model_name: str) -> Promotion:
    """Swap champion and previous; the shipped model counts as the one before the first promotion.

    A champion that was deleted in MLflow does not become `previous`.

    Raises:
        PromotionError: nothing was ever promoted, or the previous champion was deleted in MLflow.
        WeightsError: the stored weights of the previous champion are not the ones that were registered.
        Busy: another promotion is under way.
        ServiceUnavailable: MLflow does not answer.
    """
    with promotion_lock(paths):
        client = connect(paths)
        repair_aliases(client, paths)
        standing = standing_of(client, model_name)
        before = all_aliases(standing)
        if not {"champion", "previous"} & standing.aliases.keys() and not standing.champion().lost:
            raise PromotionError(f"an earlier champion of {model_name}", "none", "promote a version first")
        if before["previous"] is None and (gone := standing.record.get("previous", SHIPPED)) != SHIPPED:
            got = f"version {gone} without that alias: it, or its alias, was deleted in MLflow"
            raise PromotionError(f"the previous champion of {model_name}", got, "promote the version that should serve")
        after = {**before, "champion": before["previous"], "previous": before["champion"]}
        if (number := after["champion"]) is not None:
            registered = find_version(client, model_name, number)
            verify_weights(client, registered)
        left, tagged = after["previous"], None
        if left is not None:
            tagged = _tagged(find_version(client, model_name, left), rolled_back_at=_now())
        move_aliases(client, paths, model_name, after, chosen=True, tagged=tagged)
        return _outcome(after)


def retire(paths: Paths, model_name: str, version: str, reason: str = "") -> bool:
    """End a version's A/B test without promoting it: tag `ab` = "ended" with the reason, and no alias `challenger`.

    Args:
        paths: the checkout.
        model_name: in the registry.
        version: its number.
        reason: how the test ended, as "loss"; kept in the tag `ab_outcome`.

    Returns:
        Whether the version was challenger until now; called again, it changes nothing.

    Raises:
        PromotionError: no such version.
        Busy: a promotion is under way.
        ServiceUnavailable: MLflow does not answer.
    """
    with promotion_lock(paths):
        client = connect(paths)
        repair_aliases(client, paths)
        number = str(find_version(client, model_name, version).version)
        before = all_aliases(standing_of(client, model_name))
        with translate_outages(client.tracking_uri):
            for name, value in {"ab": "ended", "ab_outcome": reason, "ab_ended_at": _now()}.items():
                client.set_model_version_tag(model_name, number, name, value)
        if before["challenger"] != number:
            return False
        move_aliases(client, paths, model_name, {**before, "challenger": None}, chosen=False)
        return True


@contextmanager
def promotion_lock(paths: Paths) -> Iterator[None]:
    """Hold the lock by which only one process at a time moves aliases.

    Raises:
        Busy: the lock did not become free in time.
    """
    busy = ("no other promotion", "one that is under way", "try again when it has ended")
    with hold_lock(paths.locks / "promotion.lock", seconds=_LOCK_SECONDS, busy=busy):
        yield


def _tagged(version: "ModelVersion", **tags: str) -> Tagged:
    return Tagged(version=str(version.version), before={name: version.tags.get(name) for name in tags}, after=tags)


def _outcome(aliases: Aliases) -> Promotion:
    return Promotion(champion=aliases["champion"] or SHIPPED, previous=aliases["previous"] or SHIPPED)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
