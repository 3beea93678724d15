"""The status as data."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipeline.registry.versions import ModelRow

Light = Literal["good", "waiting", "attention", "alarm"]
"""No problem; no data yet; should be looked at; needs action."""


class Part(BaseModel):
    """A part of the status; nothing can be changed."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Serving(Part):
    """The champion; a shipped one was never promoted, so it has no date, no age and no figures of its own.

    `known` is False while the registry does not answer; `version` is then that of the last judged window. `lost`: the
    version was deleted in the registry, so that it has no figures; it goes on serving from its copy.
    """

    known: bool
    lost: bool = False
    version: str
    since: datetime | None
    weeks: float | None
    max_weeks: float
    recognition_accuracy: float | None
    lpips_vs_telea: float | None
    identity_distance_vs_telea: float | None


class Accuracy(Part):
    """Share of restored people who are still recognised, with a 95 % Wilson interval; see `Recognition`."""

    recognised: int
    judged: int
    value: float | None
    low: float | None
    high: float | None
    below: bool
    """Proven to be under the bound."""
    since: datetime | None
    """When the block of requests began that it is taken over."""


class Finding(Part):
    """An alarm of the watch: what it is about, why, and what a person should do."""

    group: str
    reason: str
    what_to_do: str


class Window(Part):
    """A stretch of traffic that the watch judged."""

    window_id: str
    at: datetime
    champion: str
    requests: int
    triggered: bool
    claimed: bool
    """A cycle was started for it."""
    findings: tuple[Finding, ...]
    drifted: tuple[str, ...]
    columns: int
    frechet: float | None
    """Distance of the window's identities from the baseline's; None where it was not measured."""
    accuracy: Accuracy


class Cycle(Part):
    """Whether a retraining runs."""

    running: bool
    since: datetime | None
    stage: str
    reason: str


class ArmFigures(Part):
    """One outcome of an A/B test: means by arm, and challenger minus champion with its confidence sequence."""

    name: str
    unit: str
    better: Literal["higher", "lower"]
    champion: float | None
    challenger: float | None
    effect: float | None
    low: float | None
    high: float | None


class Challenge(Part):
    """The A/B test: who tries to become champion, and how it stands; `on` is false for one that has ended."""

    on: bool
    state: str
    challenger: str
    sentence: str
    counts: dict[str, int]
    """Subjects by arm."""
    figures: tuple[ArmFigures, ...]


class Onset(Part):
    """Missing share of the features from which one version's restorations leave the genuine range."""

    version: str
    value: float | None
    low: float | None
    high: float | None


class Cost(Part):
    """What the last requests cost; None where none was restored or verified."""

    requests: int
    restoration_seconds: float | None
    verification_seconds: float | None
    per_1000_restorations: float | None
    per_1000_verifications: float | None
    currency: str


class AlertLine(Part):
    """An alert that was sent."""

    time: datetime
    code: str
    title: str
    what_to_do: str


class Audit(Part):
    """The last verification of the log's hash chain."""

    time: datetime
    intact: bool
    entries: int


class Storage(Part):
    """The disks of the state and of kept pictures: what is free on the fullest; `full`: requests cannot be logged."""

    free_mebibytes: float
    low: bool
    full: bool


class Status(Part):
    """Everything on the page, at one moment."""

    now: datetime
    light: Light
    headline: tuple[str, ...]
    """Sentences for anybody, the most pressing one first."""
    champion: Serving
    versions: tuple[ModelRow, ...]
    """Newest first; all that were ever registered."""
    bound: float
    """Recognition accuracy below which the watch raises the alarm."""
    accuracy: Accuracy
    """Of the champion, as its last judged window left it."""
    windows: tuple[Window, ...]
    """Oldest first, at most the last sixty."""
    last_look: datetime | None
    """When the watch last came to its end, whether or not there was enough to judge; None before the first time."""
    cycle: Cycle
    challenge: Challenge
    onsets: tuple[Onset, ...]
    """By version, oldest first; a version that was not measured has no value."""
    cost: Cost | None
    alerts: tuple[AlertLine, ...]
    """Newest first."""
    audit: Audit | None
    storage: Storage
    registry: str = ""
    """Address of the registered model in MLflow's pages; "" where it is not known."""
    problems: tuple[str, ...]
    """What could not be read, and why."""
