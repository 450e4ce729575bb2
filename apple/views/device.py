"""The two addresses that devices know: check-in, and the command channel."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from apple.errors import ManagementEnded
from apple.protocol import checkin as checkin_messages
from apple.protocol import plist, results
from apple.protocol.errors import ProtocolError
from apple.services import authentication, checkin, connect
from core import net

log = structlog.get_logger(__name__)

CHECKIN_LIMIT = 1024 * 1024
CONNECT_LIMIT = 32 * 1024 * 1024
CONTENT_TYPE = "application/xml"


@require_http_methods(["PUT"])
def checkin_endpoint(request: HttpRequest) -> HttpResponse:
    return _serve(request, CHECKIN_LIMIT)


@require_http_methods(["PUT"])
def connect_endpoint(request: HttpRequest) -> HttpResponse:
    return _serve(request, CONNECT_LIMIT)


def _serve(request: HttpRequest, limit: int) -> HttpResponse:
    """Answer one message. The message itself says what it is, so that both addresses may be one.

    401 is a decision (ManagementEnded) and nothing else; every other refusal is a plain 4xx.
    """
    body = net.read_body(request, limit)
    proof = authentication.prove(request, body)
    try:
        message = plist.read(body, limit=limit)
        if "MessageType" in message:
            parsed = checkin_messages.parse(message)
            identity = authentication.identify(proof).identity
            reply = checkin.handle(identity=identity, message=parsed)
        else:
            reply = connect.exchange(proof=proof, message=results.parse(message))
    except ProtocolError as error:
        log.warning(
            "apple.message.refused", reason=str(error), certificate=proof.certificate_sha256[:16]
        )
        return HttpResponse(status=error.status)
    except ManagementEnded as ended:
        log.info(
            "apple.management.ended", reason=ended.reason, certificate=proof.certificate_sha256[:16]
        )
        return HttpResponse(status=401)
    return HttpResponse(reply, content_type=CONTENT_TYPE)
