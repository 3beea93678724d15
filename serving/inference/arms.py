"""The models in memory: choose the arm that serves a request, and restore faces of concurrent requests in one call.

Batching has no thread of its own: the first request becomes the leader of a batch. It waits a few milliseconds for
others, but only while others are running that may still bring a face; then it runs the network for all. So there is
nothing to start, to stop or to leak, and a request alone never waits.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence
from models.evidence.reference_photo import Reference
from monitoring.ab.assignment import arm_of
from monitoring.ab.experiment import experiment_id
from monitoring.log.metering import Meter
from monitoring.log.rows import Arm
from restoration.types import FaceRestorer


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory; `promoted` is None for the shipped model and for challengers."""

    version: str
    sha256: str
    restorer: "BatchedRestorer"
    arm: Arm
    promoted: datetime | None = None


@dataclass(frozen=True)
class Arms:
    """The models that serve. A request keeps the arms it began with, so that a swap does not disturb it."""

    champion: LoadedModel
    challenger: LoadedModel | None

    def model_for(self, subject: str, share: float) -> LoadedModel:
        """Choose the model for a subject (or, without one, for a request id): the same one while an A/B test runs."""
        if self.challenger is None:
            return self.champion
        test = experiment_id(self.champion.version, self.challenger.version)
        return self.challenger if arm_of(subject, test, share) == "challenger" else self.champion

    @property
    def loaded(self) -> tuple[LoadedModel, ...]:
        """The champion, and the challenger if there is one."""
        return (self.champion,) if self.challenger is None else (self.champion, self.challenger)


@dataclass(eq=False)
class _Faces:
    """The faces of one request in a batch; `restored` stays None if the batch failed."""

    evidence: Evidence
    done: threading.Event = field(default_factory=threading.Event)
    restored: Tensor | None = None
    cpu_seconds: float = 0.0


_Batch = list[_Faces]


class BatchedRestorer:
    """A restorer for many threads; a result does not depend on the other faces of its batch.

    Args:
        restorer: may be called by several threads at once.
        max_batch: faces in one call; a photo with more has a call of its own.
        wait_seconds: how long a leader waits.
        running: counts the requests that have begun and not ended; a leader waits for no more.
        observe: is called with the number of faces of each call.

    Attributes:
        image_size: side of the portraits, pixels.
        face_model: gathers the evidence.
        cpu_balance: CPU seconds that others have spent for a request (+), or its thread for others (-).
    """

    def __init__(
        self,
        restorer: FaceRestorer,
        max_batch: int,
        wait_seconds: float,
        running: Callable[[], int],
        observe: Callable[[int], None],
    ) -> None:
        self.image_size, self.face_model, self.cpu_balance = restorer.image_size, restorer.face_model, Meter()
        self._restorer, self._max_batch, self._wait_seconds = restorer, max_batch, wait_seconds
        self._running, self._observe = running, observe
        self._changed = threading.Condition()
        self._open: _Batch | None = None
        self._inside = 0

    def restore_from(self, evidence: Evidence) -> Tensor:
        """See `Restorer.restore_from`. If a batch fails, each request restores alone and raises its own errors."""
        own = _Faces(evidence)
        batch, leads = self._join(own)
        try:
            if leads:
                self._close(batch)
                self._run(batch)
            own.done.wait()
        finally:
            self._leave()
        self.cpu_balance.add(own.cpu_seconds)
        return self._restorer.restore_from(evidence) if own.restored is None else own.restored

    def _join(self, own: _Faces) -> tuple[_Batch, bool]:
        """Join a batch, and tell whether to lead it. Faces that do not fit open the next batch."""
        with self._changed:
            self._inside += 1
            self._changed.notify_all()
            if self._open is not None and _count(self._open) + _count([own]) <= self._max_batch:
                self._open.append(own)
                return self._open, False
            self._open = [own]
            return self._open, True

    def _leave(self) -> None:
        with self._changed:
            self._inside -= 1

    def _close(self, batch: _Batch) -> None:
        """Wait for others, then close the batch."""
        with self._changed:
            self._changed.wait_for(lambda: self._complete(batch), self._wait_seconds)
            if self._open is batch:
                self._open = None

    def _complete(self, batch: _Batch) -> bool:
        return self._open is not batch or _count(batch) >= self._max_batch or self._inside >= self._running()

    def _run(self, batch: _Batch) -> None:
        begun = time.thread_time()
        try:
            restored = self._restorer.restore_from(concatenated([own.evidence for own in batch]))
        except Exception:  # one request may be the cause: each runs alone then, and raises its own error
            if len(batch) == 1:
                raise
        else:
            self._observe(_count(batch))
            self._share(batch, restored, time.thread_time() - begun)
        finally:
            for own in batch:
                own.done.set()

    def _share(self, batch: _Batch, restored: Tensor, seconds: float) -> None:
        """Give each request its faces, and its part of the CPU time that the leader spent."""
        for own, part in zip(batch, torch.split(restored, [_count([own]) for own in batch]), strict=True):
            own.restored, own.cpu_seconds = part, seconds * len(part) / len(restored)
        batch[0].cpu_seconds -= seconds


def concatenated(evidences: Sequence[Evidence]) -> Evidence:
    """Concatenate batches; one without a reference gets an absent one where others have one."""
    if len(evidences) == 1:
        return evidences[0]
    damaged = [evidence.damaged for evidence in evidences]
    whole = Damaged(**_rows(damaged), reference=_references(damaged))
    return Evidence(**_rows(evidences), damaged=whole)


def _references(batches: Sequence[Damaged]) -> Reference | None:
    if all(batch.reference is None for batch in batches):
        return None
    absent = [Reference(torch.zeros_like(batch.image), torch.zeros(len(batch.image))) for batch in batches]
    return Reference(**_rows([batch.reference or none for batch, none in zip(batches, absent, strict=True)]))


def _rows(batches: Sequence[Evidence] | Sequence[Damaged] | Sequence[Reference]) -> dict[str, Tensor]:
    names = [entry.name for entry in fields(batches[0]) if isinstance(getattr(batches[0], entry.name), Tensor)]
    return {name: torch.cat([getattr(batch, name) for batch in batches]) for name in names}


def _count(batch: _Batch) -> int:
    return sum(len(own.evidence.start) for own in batch)
