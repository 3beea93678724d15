"""Meter the CPU seconds of identity figures, next to those of the whole request."""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import local

from torch import Tensor

from models.identity.encoders import IdentityEncoder
from restoration.types import Tools


class Meter:
    """Adds up CPU seconds, each thread for itself.

    Args:
        clock: `time.thread_time` where several requests are worked on at once, each in one thread;
            `time.process_time` where one request has the process, and all the threads of its networks, to itself.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self.clock, self._own = clock, local()

    def add(self, seconds: float) -> None:
        """Add seconds to this thread's count."""
        self._own.seconds = getattr(self._own, "seconds", 0.0) + seconds

    def take(self) -> float:
        """Take the seconds since the last call in this thread."""
        seconds: float = getattr(self._own, "seconds", 0.0)
        self._own.seconds = 0.0
        return seconds


class MeteredEncoder:
    """An identity encoder whose work a meter sees."""

    def __init__(self, encoder: IdentityEncoder, meter: Meter) -> None:
        self.name, self.dim, self._encoder, self._meter = encoder.name, encoder.dim, encoder, meter

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`."""
        begun = self._meter.clock()
        try:
            return self._encoder.embed(images, points)
        finally:
            self._meter.add(self._meter.clock() - begun)


def meter_tools(tools: Tools, meter: Meter) -> Tools:
    """Copy the tools with metered encoders."""
    return replace(tools, encoders=tuple(MeteredEncoder(encoder, meter) for encoder in tools.encoders))
