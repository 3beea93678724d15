"""Batch faces of concurrent requests into one call of the network.

There is no thread of its own: the first request that comes becomes the batch's leader. It waits a few milliseconds for
others, but only as long as others are at work that may still bring a face; then it runs the network for all. So there
is nothing to start, to stop or to leak, and a request alone never waits.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence
from models.evidence.reference_photo import Reference
from monitoring.log.metering import Meter
from restoration.types import FaceRestorer


@dataclass(eq=False)
class _Seat:
    """One request's faces in a batch; `restored` stays None where the batch failed."""

    evidence: Evidence
    done: threading.Event = field(default_factory=threading.Event)
    restored: Tensor | None = None
    cpu_seconds: float = 0.0


_Batch = list[_Seat]


class BatchedRestorer:
    """A restorer for many threads; what each gets does not depend on whom it shared a batch with.

    Args:
        restorer: may be called by several threads at once.
        max_batch: faces in one call; a photo with more has a call for itself.
        wait_seconds: how long a leader waits.
        at_work: how many requests are between their first step and their last; a leader waits for no more.
        observe: told the number of faces of each call.

    Attributes:
        image_size: side of the portraits, pixels.
        foreign: CPU seconds that a request, in its thread, owes to others (+) or has spent for them (-).
    """

    def __init__(
        self,
        restorer: FaceRestorer,
        max_batch: int,
        wait_seconds: float,
        at_work: Callable[[], int],
        observe: Callable[[int], None],
    ) -> None:
        self.image_size, self.foreign = restorer.image_size, Meter()
        self._restorer, self._max_batch, self._wait_seconds = restorer, max_batch, wait_seconds
        self._at_work, self._observe = at_work, observe
        self._changed = threading.Condition()
        self._open: _Batch | None = None
        self._inside = 0

    def restore_from(self, evidence: Evidence) -> Tensor:
        """See `Restorer.restore_from`. Where a batch fails, each restores alone and meets its own errors."""
        seat = _Seat(evidence)
        batch, leads = self._join(seat)
        try:
            if leads:
                self._close(batch)
                self._run(batch)
            seat.done.wait()
        finally:
            self._leave()
        self.foreign.add(seat.cpu_seconds)
        return self._restorer.restore_from(evidence) if seat.restored is None else seat.restored

    def _join(self, seat: _Seat) -> tuple[_Batch, bool]:
        """The batch that the seat is in, and whether it leads it. One that does not fit opens the next batch."""
        with self._changed:
            self._inside += 1
            self._changed.notify_all()
            if self._open is not None and _faces(self._open) + _faces([seat]) <= self._max_batch:
                self._open.append(seat)
                return self._open, False
            self._open = [seat]
            return self._open, True

    def _leave(self) -> None:
        with self._changed:
            self._inside -= 1

    def _close(self, batch: _Batch) -> None:
        """Wait for others, and let nobody in any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._complete(batch), self._wait_seconds)
            if self._open is batch:
                self._open = None

    def _complete(self, batch: _Batch) -> bool:
        return self._open is not batch or _faces(batch) >= self._max_batch or self._inside >= self._at_work()

    def _run(self, batch: _Batch) -> None:
        begun = time.thread_time()
        try:
            restored = self._restorer.restore_from(joined([seat.evidence for seat in batch]))
        except Exception:  # whatever it is, it may be one seat's: each runs alone then, and raises its own
            if len(batch) == 1:
                raise
        else:
            self._observe(_faces(batch))
            self._share(batch, restored, time.thread_time() - begun)
        finally:
            for seat in batch:
                seat.done.set()

    def _share(self, batch: _Batch, restored: Tensor, seconds: float) -> None:
        """Give each seat its faces, and its part of the CPU time that the leader spent."""
        for seat, part in zip(batch, torch.split(restored, [_faces([seat]) for seat in batch]), strict=True):
            seat.restored, seat.cpu_seconds = part, seconds * len(part) / len(restored)
        batch[0].cpu_seconds -= seconds


def joined(evidences: Sequence[Evidence]) -> Evidence:
    """Several batches as one; whoever has no reference gets an absent one where others have one."""
    if len(evidences) == 1:
        return evidences[0]
    damaged = [evidence.damaged for evidence in evidences]
    whole = Damaged(**_rows(damaged), reference=_references(damaged))
    return Evidence(**_rows(evidences), damaged=whole)


def _references(batches: Sequence[Damaged]) -> Reference | None:
    if all(batch.reference is None for batch in batches):
        return None
    absent = [Reference(torch.zeros_like(batch.image), torch.zeros(len(batch.image))) for batch in batches]
    return Reference(**_rows([batch.reference or nobody for batch, nobody in zip(batches, absent, strict=True)]))


def _rows(batches: Sequence[Evidence] | Sequence[Damaged] | Sequence[Reference]) -> dict[str, Tensor]:
    names = [entry.name for entry in fields(batches[0]) if isinstance(getattr(batches[0], entry.name), Tensor)]
    return {name: torch.cat([getattr(batch, name) for batch in batches]) for name in names}


def _faces(batch: _Batch) -> int:
    return sum(len(seat.evidence.start) for seat in batch)
