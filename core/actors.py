"""Who does something: the one shape that history and services know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

ActorKind = Literal["user", "device", "system", "token", "person"]


@dataclass(frozen=True, slots=True)
class Actor:
    """`user` signed in to the portal, `person` on the registration pages, `token` by the API."""

    kind: ActorKind
    id: str
    label: str
    ip: str = ""

    @classmethod
    def system(cls, name: str = "muster") -> Actor:
        return cls("system", name, name)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON shape that is stored beside a command or a message."""
        return {"kind": self.kind, "id": self.id, "label": self.label}
