"""Read and write params.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from models.errors import ConfigError
from models.metrics.names import ALL, WORST_SLICE, bucket_names
from pipeline.config.ab import AbParams
from pipeline.config.ablation import AblateParams
from pipeline.config.base import Section
from pipeline.config.data import DataParams, IngestParams, ValidateParams
from pipeline.config.evaluation import EvaluateParams, GateParams
from pipeline.config.identity import IdentityParams
from pipeline.config.keep import KeepParams
from pipeline.config.masks import MaskParams
from pipeline.config.operations import AlertParams, OperateParams
from pipeline.config.registry import ChampionParams, RegistryParams
from pipeline.config.restore import RestoreParams
from pipeline.config.serving import ServeParams
from pipeline.config.simulate import SimulateParams
from pipeline.config.training import TrainParams
from pipeline.config.user_study import StudyParams
from pipeline.config.watch import WatchParams
from pipeline.project.paths import Paths


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


def load_params(path: Path, overrides: Mapping[str, Any] | None = None) -> Params:
    """Read and check params.yaml; `overrides` maps dotted keys to values (`train.steps`: 10).

    Raises:
        ConfigError: missing or unreadable file, unknown key, value out of range. It names the first problem.
    """
    raw = read_values(path)
    for key, value in (overrides or {}).items():
        _set(raw, key, value)
    try:
        return Params.model_validate(raw, context={"folder": Paths(path.resolve().parent).home.root})
    except ValidationError as error:
        raise _config_error(path, error) from error


def write_params(source: Path, target: Path, overrides: Mapping[str, Any]) -> None:
    """Copy params.yaml with some values changed, comments kept; the result is checked before it is written."""
    load_params(source, overrides)
    raw = read_values(source)
    for key, value in overrides.items():
        _set(raw, key, value)
    target = target.resolve()  # a link stays one
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        _yaml().dump(raw, stream)
    temporary.replace(target)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")  # ruamel, as DVC: PyYAML would read 1e-4 as a string
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def read_values(path: Path) -> dict[str, Any]:
    """Read params.yaml unchecked, comments kept.

    Raises:
        ConfigError: missing or unreadable file.
    """
    try:
        raw = _yaml().load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"a parameter file at {path}", "no such file", "run from a checkout or pass --root"
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"valid YAML in {path}", reason, "correct the file or take it from git") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"sections in {path}", f"a {type(raw).__name__}", "take the file from git")
    return raw


def _set(raw: dict[str, Any], dotted: str, value: object) -> None:
    *parents, last = dotted.split(".")
    node: Any = raw
    for part in parents:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or last not in node:
        raise ConfigError("a key of params.yaml", dotted, "see params.yaml for the keys")
    node[last] = value


def _config_error(path: Path, error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:  # of a section, of a dataclass in one
        return ConfigError(f"only known keys in {path.name}", f"the unknown key {key}", f"delete or rename {key}")
    if first["type"] == "missing":
        return ConfigError(f"{key} in {path.name}", "no value", f"add {key}")
    return ConfigError(f"{key}: {first['msg']}", repr(first["input"])[:80], f"change {key} in {path.name}")
