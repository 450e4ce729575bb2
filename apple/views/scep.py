"""The SCEP endpoint of a tenant."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from apple.services import scep as service
from core import net
from core.models import Tenant
from core.pki import scep
from core.pki.errors import CmsError

log = structlog.get_logger(__name__)


@require_http_methods(["GET", "POST"])
def scep_endpoint(request: HttpRequest, tenant: str) -> HttpResponse:
    """Answer GetCACaps, GetCACert and PKIOperation (RFC 8894 §4); 400 for what is neither."""
    organisation = Tenant.objects.filter(slug=tenant).first()
    if organisation is None:
        return HttpResponse(status=404)
    operation, text = scep.parse_query(request.META.get("QUERY_STRING", ""))
    match operation.lower():
        case "getcacaps":
            return HttpResponse(scep.capabilities(), content_type="text/plain")
        case "getcacert":
            content_type, body = service.ca_certificate(organisation)
            return HttpResponse(body, content_type=content_type)
        case "pkioperation":
            return _pki_operation(request, organisation, text)
    return HttpResponse(status=400)


def _pki_operation(request: HttpRequest, tenant: Tenant, text: bytes) -> HttpResponse:
    # Some clients repeat the message in the query of a POST; the body is what counts.
    try:
        if request.method == "POST":
            message = net.read_body(request, scep.MAX_MESSAGE)
        else:
            message = scep.decode_message(text)
        reply = service.answer(tenant=tenant, message=message, ip=net.client_ip(request))
    except CmsError as error:
        log.warning("apple.scep.unreadable", tenant=tenant.slug, reason=error.code)
        return HttpResponse(status=400)
    return HttpResponse(reply, content_type=scep.MESSAGE_TYPE)
