"""What a command module must offer, and the helpers that such modules share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from apple.protocol.platforms import Platform
from apple.protocol.results import DeviceError

DEVICE = "device"
USER = "user"

DAY = timedelta(days=1)
NO_PARAMS: Mapping[str, Any] = {}


class CommandError(ValueError):
    """The command cannot be built for this target or with these parameters."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a command goes. An empty `os_version` means unknown, which excludes nothing; so does
    `is_supervised` None."""

    platform: Platform
    os_version: tuple[int, ...] = ()
    channel: str = DEVICE
    is_supervised: bool | None = None

    @property
    def is_mac(self) -> bool:
        return self.platform is Platform.MAC

    def has(self, introduced: Mapping[str, tuple[int, ...]]) -> bool:
        """Return whether something introduced in these versions, by system, is there."""
        since = introduced.get(self.platform.system)
        return since is not None and (not self.os_version or self.os_version >= since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """On one system: since which version, until before which, on which channels, and whether
    only on supervised devices."""

    since: tuple[int, ...]
    removed: tuple[int, ...] = ()
    channels: frozenset[str] = frozenset({DEVICE})
    is_supervised: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a result tells, bounded and ready for JSON columns.

    `sections` are whole inventory sections by kind, `facts` single values about the device,
    `detail` a few values that belong to the command itself. `location` is where the device is,
    and `refused` what it did not do although it acknowledged.
    """

    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    location: Mapping[str, Any] = field(default_factory=dict)
    refused: Sequence[DeviceError] = ()


class Command(ABC):
    """One RequestType. Instances hold nothing: everything comes in as arguments.

    `params` and `secrets` are JSON values; secrets are stored sealed and never shown.
    `public_params` names the parameters that the change history may show: a parameter that
    nobody declared is left out there. `deadline` is how long the order stands.
    """

    request_type: ClassVar[str]
    availability: ClassVar[Mapping[str, Availability]]
    param_names: ClassVar[frozenset[str]] = frozenset()
    secret_names: ClassVar[frozenset[str]] = frozenset()
    public_params: ClassVar[frozenset[str]] = frozenset()
    never_not_now: ClassVar[frozenset[str]] = frozenset()
    has_private_answer: ClassVar[bool] = False
    deadline: ClassVar[timedelta] = 30 * DAY

    def build(
        self,
        target: Target,
        params: Mapping[str, Any] = NO_PARAMS,
        secrets: Mapping[str, Any] = NO_PARAMS,
    ) -> dict[str, Any]:
        """Return the Command dictionary. Raises CommandError."""
        self.check_target(target)
        unknown = (params.keys() - self.param_names) | (secrets.keys() - self.secret_names)
        if unknown:
            raise CommandError(f"{self.request_type} takes no {', '.join(sorted(unknown))}")
        return {"RequestType": self.request_type} | self.keys(target, params, secrets)

    def check_target(self, target: Target) -> None:
        """Raise CommandError unless devices like `target` know this command."""
        where = self.availability.get(target.platform.system)
        if where is None:
            raise CommandError(f"{self.request_type} is unknown on {target.platform.value}")
        if target.channel not in where.channels:
            raise CommandError(f"{self.request_type} does not go to the {target.channel} channel")
        version = target.os_version
        if version and (version < where.since or (where.removed and version >= where.removed)):
            raise CommandError(f"{self.request_type} is not in this version of the system")
        if where.is_supervised and target.is_supervised is False:
            raise CommandError(f"{self.request_type} is for supervised devices only")

    def answers_at_once(self, platform: Platform) -> bool:
        """Return whether a device that just said NotNow will still carry out this command."""
        return platform.system in self.never_not_now

    def history_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the change history may show of `params`."""
        return {key: value for key, value in params.items() if key in self.public_params}

    @abstractmethod
    def keys(
        self, target: Target, params: Mapping[str, Any], secrets: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the keys beside RequestType; names were checked, values were not."""

    def parse(self, body: Mapping[str, Any]) -> Outcome:
        """Return what an Acknowledged result tells; never raises on what a device sends."""
        return Outcome()


def string(
    values: Mapping[str, Any], name: str, *, limit: int, required: bool = False
) -> str | None:
    value = values.get(name)
    if value is None or value == "":
        if required:
            raise CommandError(f"{name} is missing")
        return None
    if not isinstance(value, str) or len(value) > limit or not _is_writable(value):
        raise CommandError(f"{name} must be text of at most {limit} characters")
    return value


def boolean(values: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise CommandError(f"{name} must be true or false")
    return value


def pin(secrets: Mapping[str, Any], *, target: Target) -> str | None:
    """Return the six-digit PIN that a Mac is locked or erased with; other devices take none."""
    value = secrets.get("pin")
    if not target.is_mac:
        if value is not None:
            raise CommandError("only a Mac takes a PIN")
        return None
    if not (isinstance(value, str) and len(value) == 6 and value.isascii() and value.isdigit()):
        raise CommandError("a Mac needs a PIN of six digits")
    return value


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` without those that are None, which a property list cannot hold."""
    return {key: value for key, value in values.items() if value is not None}


def _is_writable(value: str) -> bool:
    return all(ord(char) >= 32 or char in "\n\t" for char in value)
