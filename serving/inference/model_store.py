"""Keep the models that serve those of the registry: load new ones while the old ones serve, then swap in one step."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from models.errors import LikenessError, PromotionError, ServiceUnavailable
from models.weight_files import weights_sha256
from monitoring.alerts.champion_lost import alert_lost_champion
from monitoring.champion import DesiredVersions, ServedVersions, read_served, write_served
from monitoring.log.rows import Arm
from pipeline.config.load import Params
from pipeline.project.derived_files import DerivedFiles
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.weights import resolve_weights
from serving.inference.arms import Arms, BatchedRestorer, LoadedModel
from serving.inference.desired_versions import Registry, cached_weights
from serving.inference.onnx_cache import served_restorer
from serving.metrics.service import Metrics

_RETRY_POLLS = 12
"""A version that could not be loaded is tried again after this many polls."""
_CLOSE_SECONDS = 5.0
"""How long closing waits for the registry's last answer."""

_log = logging.getLogger("likeness.serving")


class ModelStore:
    """Hold the arms, and poll the registry for others.

    Args:
        params: of the checkout.
        paths: of the checkout.
        metrics: shows the versions that serve and whether the registry answers.
        running: counts the requests in work, for batching.

    Raises:
        WeightsError: the champion cannot be loaded.
        PromotionError, ServiceUnavailable: the registry has lost its champion, or does not answer, and no version that
            was served before is in the cache.
    """

    def __init__(self, params: Params, paths: Paths, metrics: Metrics, running: Callable[[], int]) -> None:
        self._params, self._paths, self._metrics, self._running = params, paths, metrics, running
        self._registry = Registry(params, paths)
        self._stop = threading.Event()
        self._failed, self._polls_to_retry = DesiredVersions(champion="", challenger=None), 0
        self.registry_up = True
        desired = self._first_desired()
        self._metrics.registry_up.set(self.registry_up)
        self._serve(self._load(desired, None), desired)
        self._thread = threading.Thread(target=self._poll_forever, name="registry", daemon=True)

    def start(self) -> None:
        """Start to poll."""
        self._thread.start()

    def close(self) -> None:
        """Stop polling; do not wait for a registry that hangs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_SECONDS)

    def poll(self) -> None:
        """Poll the registry once; swap if an alias moved. On any error the current models go on serving."""
        desired = self._poll_registry()
        if desired is None or desired == self._desired or self._is_given_up(desired):
            return
        try:
            self._serve(self._load(desired, self.arms), desired)
        except ServiceUnavailable as error:  # it went down between two queries: the next poll tries again
            self._set_registry_up(up=False, reason=str(error))
        except (LikenessError, OSError) as error:  # other weights than the registered ones, a full disk
            self._failed, self._polls_to_retry = desired, _RETRY_POLLS
            self._metrics.reloads.labels("failed").inc()
            _log.error("version %s cannot be served, %s goes on: %s", desired, self._desired, error)
        else:
            self._metrics.reloads.labels("swapped").inc()

    def _poll_registry(self) -> DesiredVersions | None:
        try:
            desired = self._registry.desired_versions()
        except LikenessError as error:
            self._set_registry_up(up=False, reason=str(error))
            if isinstance(error, PromotionError):
                alert_lost_champion(self._params, self._paths, error, self._desired.champion)
            return None
        self._set_registry_up(up=True)
        return desired

    def _poll_forever(self) -> None:
        while not self._stop.wait(self._params.serve.reload_seconds):
            try:
                self.poll()
            except Exception:  # noqa: BLE001 - the thread must not end, or no alias is followed any more
                self._metrics.reloads.labels("failed").inc()
                _log.exception("registry poll failed, %s goes on", self._desired)

    def _first_desired(self) -> DesiredVersions:
        try:
            return self._registry.desired_versions()
        except (ServiceUnavailable, PromotionError) as error:
            self._set_registry_up(up=False, reason=str(error))
            served = read_served(self._paths)
            if served is None:
                raise
            return served.desired

    def _is_given_up(self, desired: DesiredVersions) -> bool:
        self._polls_to_retry -= 1
        return desired == self._failed and self._polls_to_retry > 0

    def _load(self, desired: DesiredVersions, old: Arms | None) -> Arms:
        """Load both arms; versions that are loaded already are taken from `old`, whose arms may have swapped."""
        champion = self._load_arm(desired.champion, "champion", old)
        challenger = None if desired.challenger is None else self._load_arm(desired.challenger, "challenger", old)
        return Arms(replace(champion, promoted=desired.promoted), challenger)

    def _load_arm(self, version: str, arm: Arm, old: Arms | None) -> LoadedModel:
        for model in () if old is None else old.loaded:
            if model.version == version:
                return replace(model, arm=arm, promoted=None)
        weights, sha256 = self._weights(version)
        serve, graphs = self._params.serve, DerivedFiles.of(self._paths, environment().cache / "graphs")
        restorer = served_restorer(weights, sha256, graphs, serve.threads)
        wait, observe = serve.batch_wait_ms / 1000, self._metrics.batch.observe
        batched = BatchedRestorer(restorer, serve.max_batch, wait, self._running, observe)
        return LoadedModel(version, sha256, batched, arm)

    def _weights(self, version: str) -> tuple[Path, str]:
        """Find verified weights: by the registry's digest or, while it is down, by the digest they were served with."""
        path = None if self.registry_up else cached_weights(self._paths, version, self._params.identity.edition)
        if path is None:
            name, edition = self._params.registry.model_name, self._params.identity.edition
            path, _ = resolve_weights(self._paths, name, edition, version)
        return path, weights_sha256(path)

    def _set_registry_up(self, *, up: bool, reason: str = "") -> None:
        if up != self.registry_up:
            _log.warning("the registry %s", "is followed again" if up else f"cannot be followed, models stay: {reason}")
        self.registry_up = up
        self._metrics.registry_up.set(up)

    def _serve(self, arms: Arms, desired: DesiredVersions) -> None:
        """Serve arms. They are written first, so that a restart without the registry serves the same versions."""
        write_served(
            self._paths, ServedVersions(desired=desired, sha256={arm.version: arm.sha256 for arm in arms.loaded})
        )
        self.arms, self._desired = arms, desired
        self._metrics.set_models((model.arm, model.version) for model in arms.loaded)
        _log.info("serving %s", ", ".join(f"{model.arm} {model.version}" for model in arms.loaded))
