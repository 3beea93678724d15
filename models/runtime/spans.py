"""Name pieces of work for a trace; without a listener, which a service may set, nothing is done."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Listener = Callable[[str], AbstractContextManager[None]]
"""Encloses a piece of work, whose name it gets."""
_listeners: list[Listener] = []


def listen(listener: Listener | None) -> None:
    """Let a listener enclose all spans of this process from now on; None: nobody."""
    _listeners[:] = [] if listener is None else [listener]


@contextmanager
def span(name: str) -> Iterator[None]:
    """Enclose a piece of work, as a block or as a decorator; the name is a word for what is done, never data."""
    if not _listeners:
        yield
        return
    with _listeners[0](name):
        yield
