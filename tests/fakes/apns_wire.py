"""One HTTP/2 connection of the fake push service."""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from tests.fakes.apns_rules import Answer, Request

if TYPE_CHECKING:
    from tests.fakes.apns import FakeAPNs

LINGER_SECONDS = 1.0


@dataclass
class _Stream:
    fields: list[tuple[str, str]]
    body: bytearray = field(default_factory=bytearray)

    def request(self) -> Request:
        headers = dict(self.fields)
        return Request(
            method=headers.get(":method", ""),
            path=headers.get(":path", ""),
            headers={name: value for name, value in headers.items() if not name.startswith(":")},
            body=bytes(self.body),
            has_duplicate_headers=len(headers) != len(self.fields),
        )


class Connection(asyncio.Protocol):
    """Reads requests, asks the service for each answer, writes it."""

    def __init__(self, service: FakeAPNs) -> None:
        self.service = service
        self.number = 0
        self.topic = ""
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._streams: dict[int, _Stream] = {}
        self._last_processed = 0
        self._is_leaving = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.topic = _topic_of(transport.get_extra_info("ssl_object"))
        self.number = self.service.opened(self)
        self._h2.update_settings(
            {SettingCodes.MAX_CONCURRENT_STREAMS: self.service.max_concurrent_streams}
        )
        self._h2.initiate_connection()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.service.closed(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._is_leaving:
            return
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._flush()
            self.cut()
            return
        for event in events:
            if not self._is_leaving:
                self._handle(event)
        self._flush()

    def cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _handle(self, event: Event) -> None:
        if isinstance(event, RequestReceived) and event.stream_id:
            self._streams[event.stream_id] = _Stream([(str(k), str(v)) for k, v in event.headers])
        elif isinstance(event, DataReceived) and event.stream_id:
            self._streams[event.stream_id].body += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded) and event.stream_id:
            self._answer(event.stream_id)
        elif isinstance(event, StreamReset) and event.stream_id:
            self._streams.pop(event.stream_id, None)
        elif isinstance(event, ConnectionTerminated):
            self.cut()

    def _answer(self, stream_id: int) -> None:
        request = self._streams[stream_id].request()
        answer = self.service.answer(request, self)
        if answer.delay:
            loop = asyncio.get_running_loop()
            loop.call_later(answer.delay, self._send, stream_id, request, answer)
        else:
            self._send(stream_id, request, answer)

    def _send(self, stream_id: int, request: Request, answer: Answer) -> None:
        if self._transport is None or self._is_leaving or stream_id not in self._streams:
            return
        if answer.fault:
            self._fail(stream_id, answer)
            return
        del self._streams[stream_id]
        self._last_processed = max(self._last_processed, stream_id)
        body = answer.body()
        headers = answer.headers(request.apns_id)
        self._h2.send_headers(stream_id, headers, end_stream=not body)
        if body:
            self._h2.send_data(stream_id, body, end_stream=True)
        self._flush()

    def _fail(self, stream_id: int, answer: Answer) -> None:
        if answer.fault == "cut":
            self.cut()
        elif answer.fault == "reset":
            self._h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
            self._flush()
        elif answer.fault == "goaway":
            note = json.dumps({"reason": answer.reason or "Shutdown"}).encode()
            self._h2.close_connection(
                ErrorCodes.NO_ERROR, additional_data=note, last_stream_id=self._last_processed
            )
            self._flush()
            # Closing with unread requests in the socket would reset the connection, and the
            # answers that are still on their way would be lost with it.
            self._is_leaving = True
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self.cut)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)


def _topic_of(tls: ssl.SSLObject) -> str:
    """Return the UID of the client's certificate; the handshake has checked the certificate."""
    der = tls.getpeercert(binary_form=True)
    if der is None:
        return ""
    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.USER_ID)
    return str(names[0].value) if names else ""
