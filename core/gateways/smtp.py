"""Mail sessions with an end: a server that goes on byte by byte is left after a minute.

The time limit of a socket is for one read, so that a byte a second would hold a worker for hours,
and the lease of the mail would run out while it is being handed over.
"""

from __future__ import annotations

import smtplib
import socket
import threading
from contextlib import suppress
from typing import Any

from django.core.mail.backends import smtp

# Shorter than the lease of an outbox message: nobody else takes the mail meanwhile.
SESSION_SECONDS = 60.0


class BoundedSMTP(smtplib.SMTP):
    """A connection that is cut when its time is over, whatever it waits for then."""

    _line: socket.socket | None = None
    _end: threading.Timer | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        # A second handle: TLS takes the first one over.
        self._line = made.dup()
        self._end = threading.Timer(SESSION_SECONDS, self._cut)
        self._end.daemon = True
        self._end.start()
        return made

    def _cut(self) -> None:
        line = self._line
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._end is not None:
            self._end.cancel()
        if self._line is not None:
            self._line.close()
        self._line = self._end = None
        super().close()


class BoundedSMTPOverTLS(smtplib.SMTP_SSL, BoundedSMTP):
    """The same where TLS comes first; `BoundedSMTP` makes the socket that it wraps."""


class EmailBackend(smtp.EmailBackend):
    """Django's own, over connections that end."""

    @property
    def connection_class(self) -> Any:
        return BoundedSMTPOverTLS if self.use_ssl else BoundedSMTP
