"""Move the aliases of the registry: under a lock, all or nothing, also across a crash.

Before the first alias is written, a journal in `state/` says what stood before. Whoever finds a journal under the lock
knows that its writer died, and puts the earlier aliases back first. In between, readers see the old champion or the
new one, never none. The lock is a file: it serves one machine.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from models.errors import PromotionError
from pipeline.project.files import write_text
from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages
from pipeline.registry.user_study_tag import require_study
from pipeline.registry.versions import SHIPPED, aliases_of, find_version
from pipeline.registry.weights import verify_weights

if TYPE_CHECKING:
    from mlflow import MlflowClient

Aliases = Mapping[str, str | None]
"""Alias -> version number, None where the alias is not set."""

_ORDER = ("previous", "champion", "challenger")
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
        registered = find_version(client, model_name, version)
        number, before = str(registered.version), _aliases(client, model_name)
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
        after = {"previous": before["champion"], "champion": number, "challenger": challenger}
        _tag(client, model_name, number, promoted_at=_now(), promotion="forced" if gate != "passed" else "gate")
        _move(client, paths, model_name, before, after)
        return _outcome(after)


def rollback(paths: Paths, model_name: str) -> Promotion:
    """Swap champion and previous; the shipped model counts as the one before the first promotion.

    Raises:
        PromotionError: nothing was ever promoted.
        WeightsError: the stored weights of the previous champion are not the ones that were registered.
        Busy: another promotion is under way.
        ServiceUnavailable: MLflow does not answer.
    """
    with promotion_lock(paths):
        client = connect(paths)
        repair_aliases(client, paths)
        before = _aliases(client, model_name)
        if before["champion"] is None and before["previous"] is None:
            raise PromotionError(f"an earlier champion of {model_name}", "none", "promote a version first")
        after = {**before, "champion": before["previous"], "previous": before["champion"]}
        if (number := after["champion"]) is not None:
            registered = find_version(client, model_name, number)
            verify_weights(client, registered)
        if (number := after["previous"]) is not None:
            _tag(client, model_name, number, rolled_back_at=_now())
        _move(client, paths, model_name, before, after)
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
        number, before = str(find_version(client, model_name, version).version), _aliases(client, model_name)
        _tag(client, model_name, number, ab="ended", ab_outcome=reason, ab_ended_at=_now())
        if before["challenger"] != number:
            return False
        _move(client, paths, model_name, before, {**before, "challenger": None})
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


def repair_aliases(client: "MlflowClient", paths: Paths) -> bool:
    """Put back the aliases that an interrupted promotion left half moved; call it under the lock.

    Returns whether there was something to repair.
    """
    journal = journal_file(paths)
    if not journal.is_file():
        return False
    entry = json.loads(journal.read_text(encoding="utf-8"))
    write_aliases(client, entry["model"], entry["before"])
    journal.unlink()
    return True


def journal_file(paths: Paths) -> Path:
    """Locate the file that exists only while aliases are being moved."""
    return paths.state / "promotion" / "journal.json"


def write_aliases(client: "MlflowClient", model_name: str, aliases: Aliases) -> None:
    """Write the registry's aliases as in `aliases`; `previous` before `champion`, so that none is ever lost."""
    with translate_outages(client.tracking_uri):
        for alias in _ORDER:
            if (number := aliases[alias]) is None:
                client.delete_registered_model_alias(model_name, alias)
            else:
                client.set_registered_model_alias(model_name, alias, number)


def _move(client: "MlflowClient", paths: Paths, model_name: str, before: Aliases, after: Aliases) -> None:
    write_text(journal_file(paths), json.dumps({"model": model_name, "before": before, "after": after}))
    try:
        write_aliases(client, model_name, after)
    except BaseException:
        repair_aliases(client, paths)  # where this fails too, the journal stays for the next call
        raise
    journal_file(paths).unlink()


def _aliases(client: "MlflowClient", model_name: str) -> dict[str, str | None]:
    aliases = aliases_of(client, model_name)
    return {alias: aliases.get(alias) for alias in _ORDER}


def _tag(client: "MlflowClient", model_name: str, number: str, **tags: str) -> None:
    with translate_outages(client.tracking_uri):
        for name, value in tags.items():
            client.set_model_version_tag(model_name, number, name, value)


def _outcome(aliases: Aliases) -> Promotion:
    return Promotion(champion=aliases["champion"] or SHIPPED, previous=aliases["previous"] or SHIPPED)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
