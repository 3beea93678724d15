"""The models that serve: loaded beside the old ones when an alias moves, then swapped in one step."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from models.errors import LikenessError, ServiceUnavailable
from models.weight_files import weights_sha256
from monitoring.ab.assignment import arm_of
from monitoring.ab.experiment import experiment_id
from monitoring.log.rows import Arm
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.weights import resolve_weights
from serving.inference.batching import BatchedRestorer
from serving.inference.desired_versions import Registry, Served, Standing, cached_weights, remember, remembered
from serving.inference.onnx_cache import served_restorer
from serving.metrics.service import Metrics

_RETRY_POLLS = 12
"""A version that could not be loaded is tried again after so many polls."""
_LAST_QUESTION = 5.0
"""Seconds that the end of the service waits for the registry's last answer."""

_log = logging.getLogger("likeness.serving")


@dataclass(frozen=True)
class Loaded:
    """A model in memory; `promoted` is None for the shipped one and for challengers."""

    version: str
    sha256: str
    restorer: BatchedRestorer
    arm: Arm
    promoted: datetime | None = None


@dataclass(frozen=True)
class Arms:
    """What serves now. A request holds the one that it began with, so that a swap disturbs nobody."""

    champion: Loaded
    challenger: Loaded | None

    def serving(self, subject: str, share: float) -> Loaded:
        """The model for a subject (or, without one, for a request id): the same each time while the test is on."""
        if self.challenger is None:
            return self.champion
        test = experiment_id(self.champion.version, self.challenger.version)
        return self.challenger if arm_of(subject, test, share) == "challenger" else self.champion

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """One or both."""
        return (self.champion,) if self.challenger is None else (self.champion, self.challenger)


class ModelStore:
    """Holds the arms and keeps them those of the registry.

    Args:
        params: of the checkout.
        paths: of the checkout.
        metrics: told what serves and whether the registry answers.
        at_work: how many requests are being worked on, for batching.

    Raises:
        WeightsError: the champion cannot be loaded.
        ServiceUnavailable: the registry does not answer, and nothing that was served here before is at hand.
    """

    def __init__(self, params: Params, paths: Paths, metrics: Metrics, at_work: Callable[[], int]) -> None:
        self._params, self._paths, self._metrics, self._at_work = params, paths, metrics, at_work
        self._registry = Registry(params, paths)
        self._stop = threading.Event()
        self._failed, self._polls_to_retry = Standing(champion="", challenger=None), 0
        self.registry_up = True
        wanted = self._first_standing()
        self._metrics.registry_up.set(self.registry_up)
        self._take(self._loaded(wanted, None), wanted)
        self._thread = threading.Thread(target=self._keep_up, name="registry", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def close(self) -> None:
        """Stop polling; a question to a registry that hangs is not waited for."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_LAST_QUESTION)

    def poll(self) -> None:
        """Ask the registry once; swap if an alias moved. Whatever goes wrong, what serves goes on serving."""
        wanted = self._asked()
        if wanted is None or wanted == self._wanted or self._gave_up_on(wanted):
            return
        try:
            self._take(self._loaded(wanted, self.arms), wanted)
        except ServiceUnavailable as error:  # it went away between two questions: the next poll tries again
            self._say_registry(up=False, reason=str(error))
        except (LikenessError, OSError) as error:  # other weights than those on record, a full disk
            self._failed, self._polls_to_retry = wanted, _RETRY_POLLS
            self._metrics.reloads.labels("failed").inc()
            _log.error("version %s cannot be served, %s goes on: %s", wanted, self._wanted, error)
        else:
            self._metrics.reloads.labels("swapped").inc()

    def _asked(self) -> Standing | None:
        try:
            wanted = self._registry.standing()
        except LikenessError as error:
            self._say_registry(up=False, reason=str(error))
            return None
        self._say_registry(up=True)
        return wanted

    def _keep_up(self) -> None:
        while not self._stop.wait(self._params.serve.reload_seconds):
            try:
                self.poll()
            except Exception:  # noqa: BLE001 - if the thread ended, no alias would be followed any more
                self._metrics.reloads.labels("failed").inc()
                _log.exception("the registry was asked in vain, %s goes on", self._wanted)

    def _first_standing(self) -> Standing:
        try:
            return self._registry.standing()
        except ServiceUnavailable as error:
            self._say_registry(up=False, reason=str(error))
            served = remembered(self._paths)
            if served is None:
                raise
            return served.standing

    def _gave_up_on(self, wanted: Standing) -> bool:
        self._polls_to_retry -= 1
        return wanted == self._failed and self._polls_to_retry > 0

    def _loaded(self, wanted: Standing, old: Arms | None) -> Arms:
        """Both arms; what is loaded already is taken from `old`, whose arms may have changed places."""
        champion = self._arm(wanted.champion, "champion", old)
        challenger = None if wanted.challenger is None else self._arm(wanted.challenger, "challenger", old)
        return Arms(replace(champion, promoted=wanted.promoted), challenger)

    def _arm(self, version: str, arm: Arm, old: Arms | None) -> Loaded:
        for held in () if old is None else old.loaded:
            if held.version == version:
                return replace(held, arm=arm, promoted=None)
        weights, sha256 = self._weights(version)
        serve, cache = self._params.serve, environment().cache / "graphs"
        restorer = served_restorer(weights, sha256, cache, serve.threads)
        wait, observe = serve.batch_wait_ms / 1000, self._metrics.batch.observe
        batched = BatchedRestorer(restorer, serve.max_batch, wait, self._at_work, observe)
        return Loaded(version, sha256, batched, arm)

    def _weights(self, version: str) -> tuple[Path, str]:
        """Verified: by the registry's digest or, while it is down, by that under which they were served before."""
        path = None if self.registry_up else cached_weights(self._paths, version)
        if path is None:
            path, _ = resolve_weights(self._paths, self._params.registry.model_name, version)
        return path, weights_sha256(path)

    def _say_registry(self, *, up: bool, reason: str = "") -> None:
        if up != self.registry_up:
            _log.warning("the registry %s", "answers again" if up else f"does not answer, models stay: {reason}")
        self.registry_up = up
        self._metrics.registry_up.set(up)

    def _take(self, arms: Arms, wanted: Standing) -> None:
        """Serve them: written down first, so that a restart without the registry brings back what served last."""
        remember(self._paths, Served(standing=wanted, sha256={arm.version: arm.sha256 for arm in arms.loaded}))
        self.arms, self._wanted = arms, wanted
        self._metrics.serve((loaded.arm, loaded.version) for loaded in arms.loaded)
        _log.info("serving %s", ", ".join(f"{loaded.arm} {loaded.version}" for loaded in arms.loaded))
