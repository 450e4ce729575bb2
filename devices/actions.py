"""The registry of what can be ordered of a device: portal, API and bulk work ask here.

The actions themselves are in `action_catalogue`. An action names its form by a dotted path, because
forms lie above services, and services may read this registry. Apps above add their own with
`register` in `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from accounts.access import PERMISSIONS, Principal
from devices import channels
from devices.errors import NotSupported
from devices.models import Device
from devices.states import MANAGED

if TYPE_CHECKING:
    from devices.forms import ActionForm

PLAIN_FORM = "devices.forms.ActionForm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do to a device.

    `run(*, device, actor, **params)` is the service, and raises a DomainError when it refuses;
    `params` come from `form`, a subclass of `devices.forms.ActionForm`. `key` is the word of the
    channel backends and of the API. `question` holds `%(name)s`; `consequences` say in words what
    will happen. `is_of_channel`: the backend of
    the device decides whether it understands the action. `is_order`: moves the device's state.
    `is_command`: `run` returns the queued Command. `box` names the part of the device page that
    offers it instead of the header: "order" or "lost".
    `run_many`, where there is one, takes the place of `run` for a device of a bulk
    order, `operation`, about which everything was asked before.
    """

    key: str
    label: Any
    icon: str
    permission: str
    run: Callable[..., Any]
    done: Any
    run_many: Callable[..., Any] | None = None
    question: Any = ""
    submit_label: Any = ""
    consequences: tuple[Any, ...] = ()
    form: str = PLAIN_FORM
    template: str = "devices/action_confirm.html"
    url_name: str = ""
    leads_to: str = ""
    states: frozenset[str] = MANAGED
    is_of_channel: bool = True
    is_for_archived: bool = False
    is_destructive: bool = False
    is_order: bool = False
    is_command: bool = False
    is_bulk: bool = True
    is_primary: bool = False
    box: str = ""
    needs_recent_sign_in: bool = False
    has_page: bool = True

    @property
    def is_in_menu(self) -> bool:
        return self.has_page and not self.is_primary and not self.box

    @property
    def slug(self) -> str:
        return self.key.replace("_", "-")

    @property
    def route(self) -> str:
        """The name of the portal's page, or of the address that is posted to."""
        return self.url_name or f"devices:device-{self.slug}"

    @property
    def form_class(self) -> type[ActionForm]:
        return import_string(self.form)

    def fits(self, device: Device, understood: frozenset[str] | None = None) -> bool:
        """Say whether the device could be given this now, whoever asks.

        `understood` spares asking the backend again.
        """
        if device.state not in self.states:
            return False
        if device.archived_at is not None and not self.is_for_archived:
            return False
        if not self.is_of_channel:
            return True
        return self.key in (understood_by(device) if understood is None else understood)


_registry: dict[str, Action] = {}


def register(*new: Action) -> None:
    """Add actions, in the order in which they are shown. A key twice is a mistake."""
    for action in new:
        if action.key in _registry or action.permission not in PERMISSIONS:
            raise ValueError(action.key)
        _registry[action.key] = action


def every() -> list[Action]:
    """Return all actions, in the order in which they are shown."""
    return list(_registry.values())


def find(key: str) -> Action:
    """Return an action by its key. Raises NotSupported for a word that is none."""
    try:
        return _registry[key]
    except KeyError:
        raise NotSupported from None


def label_of(key: str) -> Any:
    """Return what an action is called; one that is gone keeps its key."""
    return _registry[key].label if key in _registry else key


def understood_by(device: Device) -> frozenset[str]:
    """Return what the device's channel can carry now; nothing for a device that has ended."""
    if not device.is_managed:
        return frozenset()
    try:
        return channels.backend_of(device.channel_kind).actions(device)
    except NotSupported:
        return frozenset()


def fitting(device: Device) -> list[Action]:
    """Return what could be ordered of a device now, whoever asks."""
    understood = understood_by(device)
    return [action for action in every() if action.fits(device, understood)]


def available(*, device: Device, user: Principal) -> list[Action]:
    """Return what `user` may order of a device now."""
    return [action for action in fitting(device) if user.has(action.permission)]


def for_many(*, user: Principal) -> Iterable[Action]:
    """Return what `user` may order of several devices at once."""
    return [action for action in every() if action.is_bulk and user.has(action.permission)]
