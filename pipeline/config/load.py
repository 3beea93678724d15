"""Read and check params.yaml with the overlay over it; write copies of it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, ValidationError, model_validator

from models.errors import ConfigError
from models.metrics.names import ALL, WORST_SLICE, bucket_names
from pipeline.config.ab import AbParams
from pipeline.config.ablation import AblateParams
from pipeline.config.base import Section
from pipeline.config.data import DataParams, IngestParams, KeepParams, ValidateParams
from pipeline.config.engine import EngineParams
from pipeline.config.evaluation import EvaluateParams, GateParams
from pipeline.config.identity import IdentityParams
from pipeline.config.masks import MaskParams
from pipeline.config.operations import AlertParams, OperateParams
from pipeline.config.registry import ChampionParams, RegistryParams
from pipeline.config.restore import RestoreParams
from pipeline.config.serving import ServeParams
from pipeline.config.simulate import SimulateParams
from pipeline.config.training import TrainParams
from pipeline.config.user_study import StudyParams
from pipeline.config.watch import WatchParams
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.values.dotted import find_value, remove_value, set_value
from pipeline.values.files import format_values, read_values
from pipeline.values.overlay import lay_over, overlay_of, read_overlay

_PLAIN = {
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "a list, as [a, b]"),
    **dict.fromkeys(("model_type", "dataclass_type", "dict_type", "mapping_type"), "a section with keys of its own"),
}
"""What pydantic says of types that people write in YAML under other names."""


class Params(Section):
    """The whole of params.yaml; one field per section."""

    identity: IdentityParams
    data: DataParams
    ingest: IngestParams
    validate_: ValidateParams
    masks: MaskParams
    champion: ChampionParams
    train: TrainParams
    evaluate: EvaluateParams
    gate: GateParams
    registry: RegistryParams
    restore: RestoreParams
    simulate: SimulateParams
    watch: WatchParams
    serve: ServeParams
    keep: KeepParams
    ab: AbParams
    alerts: AlertParams
    operate: OperateParams
    engine: EngineParams
    study: StudyParams
    ablate: AblateParams

    model_config = ConfigDict(alias_generator=lambda name: name.rstrip("_"))

    @model_validator(mode="after")
    def _measured_buckets(self) -> Self:
        known = {ALL, WORST_SLICE, *bucket_names(self.masks.buckets)}
        for criterion in self.gate.criteria:
            if criterion.bucket not in known:
                raise ValueError(
                    f"gate.criteria: {criterion.name} names the bucket {criterion.bucket!r}; there are {sorted(known)}"
                )
        return self

    def section(self, name: str) -> Section:
        """Look up the section that params.yaml calls `name`."""
        field = "validate_" if name == "validate" else name
        value: Section = getattr(self, field)
        return value


@dataclass(frozen=True)
class Own:
    """Own values that count instead of those of params.yaml, and the overlay in which they stand."""

    values: Mapping[str, Any]
    file: Path

    def find(self, place: Sequence[str | int]) -> tuple[str, Any] | None:
        """Find whose value a problem is about: an own one, or a section with own ones, with its key; else None."""
        node: Any = self.values
        for depth, part in enumerate(place):
            if not isinstance(node, Mapping):
                return ".".join(map(str, place[:depth])), node
            if part not in node:
                return None
            node = node[part]
        return (".".join(map(str, place)), node) if self.values else None


def load_params(path: Path, overrides: Mapping[str, Any] | None = None, overlay: Path | None = None) -> Params:
    """Read and check params.yaml with the values of the overlay over it.

    Args:
        path: params.yaml.
        overrides: dotted keys and values that count instead of both (`train.steps`: 10).
        overlay: a file that stands in for the project's own overlay.

    Raises:
        ConfigError: missing or unreadable file, unknown key, value out of range. It names the first problem.
    """
    file = overlay or overlay_of(path)
    raw, own = read_values(path), read_overlay(file)
    lay_over(raw, own)
    for key, value in (overrides or {}).items():
        _override(raw, key, value)
        remove_value(own, key)  # it does not count, so no message is about it
    return check_values(raw, path, Own(own, file))


def load_params_in_need(path: Path) -> Params:
    """Read params.yaml, without its overlay where that is damaged, for what must be said all the same.

    Raises:
        ConfigError: params.yaml itself is missing or wrong.
    """
    try:
        return load_params(path)
    except ConfigError:
        return check_values(read_values(path), path, Own({}, overlay_of(path)))


def check_values(raw: Mapping[str, Any], path: Path, own: Own, proposed: Sequence[str] = ()) -> Params:
    """Check values of params.yaml at `path`, over which `own` was laid; messages tell the two apart.

    Args:
        raw: the values that count.
        path: params.yaml.
        own: its overlay.
        proposed: keys of the overlay that are not written yet.

    Raises:
        ConfigError: unknown key, value out of range. It names the first problem.
    """
    try:
        return Params.model_validate(raw, context={"folder": Paths(path.resolve().parent).home.root})
    except ValidationError as error:
        raise _config_error(path, error, own, proposed) from error


def write_params(source: Path, target: Path, overrides: Mapping[str, Any]) -> None:
    """Copy params.yaml with some values changed, comments kept; the result is checked before it is written."""
    load_params(source, overrides)
    raw = read_values(source)
    for key, value in overrides.items():
        _override(raw, key, value)
    write_text(target.resolve(), format_values(raw))  # a link stays one


def _override(raw: dict[str, Any], key: str, value: object) -> None:
    if not find_value(raw, key):
        raise ConfigError("a key of params.yaml", key, "see `likeness params` for the keys")
    set_value(raw, key, value)


def _config_error(path: Path, error: ValidationError, own: Own, proposed: Sequence[str]) -> ConfigError:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    unknown = first["type"] in {"extra_forbidden", "unexpected_keyword_argument"}  # of a section, of a dataclass in one
    own_key, own_value = own.find(first["loc"]) or (None, None)
    if own_key is not None and any(_overlap(own_key, name) for name in proposed):
        file, remedy = Path("params.yaml"), "see `likeness params` for keys and values"
    elif own_key and (unknown or not isinstance(own_value, Mapping)):
        unset = f"likeness params unset {own_key} --root {shlex.quote(str(own.file.parent.parent))}"
        file, remedy = own.file, f"correct {own_key} there, or remove it by `{unset}`"
    else:
        file, remedy = Path(path.name), "" if own_key is None else f"change {key} in {path.name} or in {own.file}"
    if unknown:
        return ConfigError(f"only known keys in {file}", f"the unknown key {key}", remedy or f"delete or rename {key}")
    if first["type"] == "missing":
        return ConfigError(f"{key} in {file}", "no value", f"add {key}")
    got = f"{first['input']!r:.80}" + (f" in {file}" if file == own.file else "")
    wanted = _PLAIN.get(first["type"], first["msg"])
    return ConfigError(f"{key}: {wanted}", got, remedy or f"change {key} in {path.name}")


def _overlap(one: str, other: str) -> bool:
    """Tell whether two dotted keys are the same, or one names a section of the other."""
    first, second = one.split("."), other.split(".")
    shared = min(len(first), len(second)) if one else 0
    return first[:shared] == second[:shared]
