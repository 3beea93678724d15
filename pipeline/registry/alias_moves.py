"""Move the aliases of a registered model: all or nothing, also across a crash. Call everything here under the lock.

Before the first alias is written, a journal in `state/` says what stood before and what shall stand after. Whoever
finds a journal under the lock knows that its writer died. Where all aliases had been written, the move is completed;
else the earlier ones are put back. In between, readers see the old champion or the new one, never none.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import LikenessError, PromotionError
from pipeline.project.files import delete_durably, write_durably
from pipeline.project.paths import Paths
from pipeline.registry.client import translate_outages
from pipeline.registry.versions import RECORDED, SHIPPED, Standing, find_version, standing_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

Aliases = Mapping[str, str | None]
"""Alias -> version number, None where the alias is not set."""

_ORDER = ("previous", "champion", "challenger")
_Number = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")]


class AliasesOnRecord(BaseModel):
    """The aliases of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    previous: _Number | None
    champion: _Number | None
    challenger: _Number | None


class Tagged(BaseModel):
    """Tags that a move gives to a version, and what they were before it, None for one that was not there."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: _Number
    before: dict[str, str | None]
    after: dict[str, str]


class Journal(BaseModel):
    """A move that has begun; `recorded` and `records` are the tags of `RECORDED`, by alias, before and after it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str = Field(pattern=r"^[^/:]+$")
    before: AliasesOnRecord
    after: AliasesOnRecord
    recorded: dict[str, str] | None = None
    records: dict[str, str] | None = None
    tagged: Tagged | None = None


def journal_file(paths: Paths) -> Path:
    """Locate the file that exists only while aliases are being moved."""
    return paths.state / "promotion" / "journal.json"


def move_aliases(
    client: "MlflowClient",
    paths: Paths,
    model_name: str,
    after: Aliases,
    *,
    chosen: bool,
    tagged: Tagged | None = None,
) -> None:
    """Move the aliases to `after`; on an error put back those that stood before, and raise it again.

    Where all aliases had been written, the move is completed instead, and nothing is raised.

    Args:
        client: of MLflow.
        paths: the checkout, for the journal.
        model_name: in the registry.
        after: the three aliases.
        chosen: somebody chose the champion, be it the shipped model: record it and the one before it.
        tagged: tags of a version that tell of the move: they are there before the aliases are, and go with them.

    Raises:
        PromotionError: MLflow refuses one, as that of a version which does not exist any more.
        ServiceUnavailable: MLflow does not answer.
    """
    before = standing_of(client, model_name)
    journal = Journal(
        model=model_name,
        before=AliasesOnRecord.model_validate(all_aliases(before)),
        after=AliasesOnRecord.model_validate(after),
        recorded=dict(before.record),
        records=_recorded(after) if chosen else dict(before.record),
        tagged=tagged,
    )
    write_durably(journal_file(paths), journal.model_dump_json())
    try:
        if tagged is not None:
            _tag(client, model_name, tagged.version, tagged.after)
        _write(client, model_name, after, journal.records or {})
    except BaseException as error:
        repair_aliases(client, paths)  # where this fails too, the journal stays for the next call
        if not isinstance(error, LikenessError) or all_aliases(standing_of(client, model_name)) != dict(after):
            raise
    else:
        delete_durably(journal_file(paths))


def repair_aliases(client: "MlflowClient", paths: Paths) -> bool:
    """Complete or undo a move that was interrupted.

    It is completed where all its aliases had been written, else undone, without those of versions that were deleted
    since. Where somebody has set another alias meanwhile, their choice stands.

    Returns whether there was something to repair.

    Raises:
        PromotionError: the journal is damaged.
        ServiceUnavailable: MLflow does not answer; the journal stays.
    """
    file = journal_file(paths)
    if not file.exists():
        return False
    journal = _read(file)
    before, after = journal.before.model_dump(), journal.after.model_dump()
    standing = standing_of(client, journal.model)
    now = all_aliases(standing)
    stands = now["champion"] == after["champion"]
    if now == after:
        _write(client, journal.model, after, _recorded(after) if journal.records is None else journal.records)
    elif all(number in (before[alias], after[alias]) for alias, number in now.items()) and any(now.values()):
        left = {alias: number if _exists(client, journal.model, number) else None for alias, number in before.items()}
        _write(client, journal.model, left, journal.recorded or _recorded(before))
        stands = False
    if not stands and (tagged := journal.tagged) is not None and _exists(client, journal.model, tagged.version):
        _tag(client, journal.model, tagged.version, tagged.before)  # they told of a move that was not made
    delete_durably(file)
    return True


def all_aliases(standing: Standing) -> dict[str, str | None]:
    """List the three aliases, None where one is not set."""
    return {alias: standing.aliases.get(alias) for alias in _ORDER}


def _write(client: "MlflowClient", model_name: str, aliases: Aliases, record: Mapping[str, str]) -> None:
    """Write `previous` before `champion`, so that none is ever lost, and the record where no reader misses it.

    The record counts where there is no alias `champion`: it is written before that alias is taken off, and after it is
    set.
    """
    from mlflow.exceptions import MlflowException

    try:
        with translate_outages(client.tracking_uri):
            if aliases["champion"] is None:
                _record(client, model_name, record)
            for alias in _ORDER:
                if (number := aliases[alias]) is None:
                    client.delete_registered_model_alias(model_name, alias)
                else:
                    client.set_registered_model_alias(model_name, alias, number)
            if aliases["champion"] is not None:
                _record(client, model_name, record)
    except MlflowException as error:
        wanted = ", ".join(f"{alias} = {number}" for alias, number in aliases.items() if number is not None)
        raise PromotionError(
            f"{model_name} to take the aliases {wanted or 'none'}", str(error)[:160], "`likeness models` lists versions"
        ) from error


def _tag(client: "MlflowClient", model_name: str, number: str, tags: Mapping[str, str | None]) -> None:
    from mlflow.exceptions import MlflowException

    try:
        with translate_outages(client.tracking_uri):
            for name, value in tags.items():
                if value is None:
                    client.delete_model_version_tag(model_name, number, name)
                else:
                    client.set_model_version_tag(model_name, number, name, value)
    except MlflowException as error:
        wanted = f"version {number} of {model_name} to take the tags {', '.join(tags)}"
        raise PromotionError(wanted, str(error)[:160], "`likeness models` lists versions") from error


def _record(client: "MlflowClient", model_name: str, record: Mapping[str, str]) -> None:
    with translate_outages(client.tracking_uri):
        for alias, tag in RECORDED.items():
            if alias in record:
                client.set_registered_model_tag(model_name, tag, record[alias])


def _recorded(aliases: Aliases) -> dict[str, str]:
    return {alias: aliases[alias] or SHIPPED for alias in RECORDED}


def _exists(client: "MlflowClient", model_name: str, number: str | None) -> bool:
    if number is None:
        return False
    try:
        find_version(client, model_name, number)
    except PromotionError:
        return False
    return True


def _read(file: Path) -> Journal:
    try:
        return Journal.model_validate_json(file.read_bytes())
    except (ValidationError, OSError) as error:
        remedy = f"compare `likeness models` with the version that should serve, delete {file}, then promote that one"
        raise PromotionError(f"the journal of an interrupted promotion in {file}", "a damaged file", remedy) from error
