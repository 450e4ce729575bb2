"""Creates and revokes tokens of the API."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import PERMISSIONS, with_required
from accounts.errors import NotAllowedToGrant
from accounts.models import ApiToken, User
from core import clock, history
from core.actors import Actor
from core.errors import DomainError

PREFIX = "mst_"
MAX_PER_OWNER = 50


class TooManyTokens(DomainError):
    code = "too_many_tokens"
    status = 409


@transaction.atomic
def create(
    *,
    owner: User,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    expires_at: dt.datetime | None = None,
) -> tuple[ApiToken, str]:
    """Create a token and return it with its text, which is shown once and never again.

    Raises NotAllowedToGrant for a scope that the owner lacks, TooManyTokens.
    """
    wanted = with_required(scopes)
    if not wanted or not wanted <= PERMISSIONS.keys() or not all(map(owner.has, wanted)):
        raise NotAllowedToGrant
    if ApiToken.objects.live(clock.now()).filter(owner=owner).count() >= MAX_PER_OWNER:
        raise TooManyTokens(_("Revoke tokens that are not used any more first."))
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        tenant_id=owner.tenant_id,
        owner=owner,
        name=name.strip(),
        prefix=text[:10],
        hash=hashlib.sha256(text.encode()).hexdigest(),
        scopes=sorted(wanted),
        expires_at=expires_at,
    )
    token.full_clean()
    token.save(force_insert=True)
    history.record(token, "accounts.token.created", actor=actor, data={"scopes": token.scopes})
    return token, text


@transaction.atomic
def revoke(*, token: ApiToken, actor: Actor) -> None:
    """End a token at once. Safe to call twice."""
    revoked = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(
        revoked_at=clock.now()
    )
    if revoked:
        history.record(token, "accounts.token.revoked", actor=actor)
