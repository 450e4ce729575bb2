"""Saves, changes and removes the views that people make of a list."""

from __future__ import annotations

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import SavedView, User
from accounts.models.view import MAX_QUERY
from core import history
from core.actors import Actor
from core.errors import DomainError

# The lists that views can be saved of, and who may see each.
LISTS = {
    "devices:device-list": "devices.view",
    "devices:operation-list": "devices.view",
    "devices:wipe-list": "devices.view",
    "user-list": "users.view",
    "invitations:invitation-list": "invitations.view",
    "invitations:session-list": "invitations.view",
    "history-list": "history.view",
}
MAX_PER_PERSON = 100
# What says where in a list somebody is, or what to do with it, is no part of a view.
_PASSING = ("page", "export", "view", "csrfmiddlewaretoken")


class UnknownList(DomainError):
    code = "unknown_list"
    status = 404


class TooManyViews(DomainError):
    code = "too_many_views"
    status = 409


class ViewNameTaken(DomainError):
    code = "view_name_taken"
    status = 409


class NotYourView(DomainError):
    code = "not_your_view"
    status = 403


def cleaned(query: str) -> str:
    """Return the lasting part of a query string. Raises DomainError when it is too long."""
    parts = QueryDict(query[: 4 * MAX_QUERY], mutable=True)
    for name in _PASSING:
        parts.pop(name, None)
    text = parts.urlencode()
    if len(text) > MAX_QUERY or len(query) > 4 * MAX_QUERY:
        raise DomainError(_("These filters are too long to be saved."))
    return text


@transaction.atomic
def save(
    *,
    owner: User,
    actor: Actor,
    list_name: str,
    name: str,
    query: str,
    is_shared: bool = False,
    is_default: bool = False,
) -> SavedView:
    """Save a view of a list under a name. Raises UnknownList, ViewNameTaken, TooManyViews."""
    if not owner.has(LISTS.get(list_name, "")):
        raise UnknownList(_("There is no such list."))
    User.objects.select_for_update().get(pk=owner.pk)
    own = SavedView.objects.filter(owner=owner)
    if own.count() >= MAX_PER_PERSON:
        raise TooManyViews(_("You have 100 views. Delete one that you do not need any more."))
    if own.filter(list_name=list_name, name__iexact=name.strip()).exists():
        raise ViewNameTaken(_("You have a view of this name already."), field="name")
    if is_default:
        own.filter(list_name=list_name, is_default=True).update(is_default=False)
    view = SavedView(
        tenant_id=owner.tenant_id,
        owner=owner,
        list_name=list_name,
        name=name.strip(),
        query=cleaned(query),
        is_shared=is_shared,
        is_default=is_default,
    )
    view.full_clean()
    view.save(force_insert=True)
    if is_shared:
        history.record(view, "accounts.view.shared", actor=actor, data={"query": view.query})
    return view


@transaction.atomic
def make_default(*, view: SavedView, owner: User) -> None:
    """Let a list begin with a view of one's own, or no more when it does. Raises NotYourView."""
    _own(view, owner)
    User.objects.select_for_update().get(pk=owner.pk)
    row = SavedView.objects.get(pk=view.pk)
    rows = SavedView.objects.filter(owner=owner, list_name=view.list_name)
    rows.update(is_default=False)
    if not row.is_default:
        rows.filter(pk=view.pk).update(is_default=True)


@transaction.atomic
def delete(*, view: SavedView, owner: User, actor: Actor) -> None:
    """Delete a view of one's own. Raises NotYourView."""
    _own(view, owner)
    if view.is_shared:
        history.record(view, "accounts.view.deleted", actor=actor)
    view.delete()


def _own(view: SavedView, owner: User) -> None:
    if view.owner_id != owner.pk:
        raise NotYourView(_("This view belongs to a colleague."))


def default_of(owner: User, list_name: str) -> SavedView | None:
    """Return the view that the person's list begins with; one query."""
    rows = SavedView.objects.filter(owner=owner, list_name=list_name, is_default=True)
    return rows.first()
