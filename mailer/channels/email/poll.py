"""One poll for every connection of a wire and the descriptor that its owner waits for."""

import contextlib
import select
from typing import Final

IN: Final = select.EPOLLIN
OUT: Final = select.EPOLLOUT
AT_MOST = 64
"""Descriptors told of at once."""


class Poll:
    """`file` is the owner's descriptor, -1 for none."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.file = -1
        self._events = 0

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Descriptors with what is true of them, at once when something is."""
        return self._epoll.poll(seconds, AT_MOST)

    def add(self, fd: int) -> None:
        """Tell when something can be read from it."""
        if fd == self.file:
            # The owner closed its descriptor, and a connection of ours got the number.
            self.file = -1
        self._epoll.register(fd, IN)

    def want_to_write(self, fd: int, wanted: bool) -> None:
        """Tell, or no longer tell, when something can be written to it."""
        self._epoll.modify(fd, IN | OUT if wanted else IN)

    def follow(self, file: int, events: int) -> None:
        """Tell of these events of the owner's descriptor, and of no other."""
        if file == self.file and events == self._events:
            return
        if self.file not in (-1, file):
            with contextlib.suppress(OSError):
                self._epoll.unregister(self.file)
        self.file, self._events = file, events
        self.refresh()

    def refresh(self) -> None:
        """Follow the owner's descriptor anew: it may be another by now that got the same number."""
        if self.file < 0:
            return
        try:
            self._epoll.modify(self.file, self._events)
        except FileNotFoundError:
            self._epoll.register(self.file, self._events)

    def close(self) -> None:
        self._epoll.close()
