"""Lets a caller repeat a call safely by naming it: the header Idempotency-Key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from core.errors import DomainError
from core.models import AnsweredCall

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
PARAMETER = OpenApiParameter(
    name=HEADER,
    location=OpenApiParameter.HEADER,
    description=(
        "Any text of your own, up to 200 characters. A repetition with the same key within three "
        "days does nothing more and gets the same answer."
    ),
)


class BadIdempotencyKey(DomainError):
    code = "bad_idempotency_key"
    message = _("An idempotency key has 1 to 200 printable characters.")


class IdempotencyKeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = _("This idempotency key was used for another call.")


def idempotent(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Run an action of a view once per key.

    Key and effect are written in one transaction: whoever repeats a call while the first one is
    under way waits for it, and a call that failed left no trace and may be tried again.
    """

    @wraps(handler)
    def once(view, request: Request, *args, **kwargs) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not KEY.fullmatch(key):
            raise BadIdempotencyKey
        with transaction.atomic():
            call, is_new = _claim(request, key)
            if not is_new:
                return _replay(call, request)
            answer = handler(view, request, *args, **kwargs)
            call.status, call.body = answer.status_code, _text(answer.data)
            call.save(update_fields=["status", "body"])
        return answer

    return once


def _claim(request: Request, key: str) -> tuple[AnsweredCall, bool]:
    caller = f"{request.user.actor.kind}:{request.user.actor.id}"
    try:
        with transaction.atomic():
            call = AnsweredCall.objects.create(
                tenant_id=request.user.tenant_id,
                caller=caller,
                key=key,
                fingerprint=_fingerprint(request),
            )
    except IntegrityError:
        return AnsweredCall.objects.get(caller=caller, key=key), False
    return call, True


def _replay(call: AnsweredCall, request: Request) -> Response:
    if call.fingerprint != _fingerprint(request):
        raise IdempotencyKeyReused
    body = json.loads(call.body)
    return Response(body, status=call.status, headers={"Idempotency-Replayed": "true"})


def _fingerprint(request: Request) -> str:
    content = _text([request.method, request.path, request.data], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _text(data: object, *, sort_keys: bool = False) -> str:
    return json.dumps(data, cls=JSONEncoder, sort_keys=sort_keys)
