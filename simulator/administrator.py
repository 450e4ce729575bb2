"""An administrator at the API: invites, looks at devices, orders. Everything goes over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import httpx2

from .errors import ServerRefused
from .wire import IMPATIENT, Patience

Row = dict[str, Any]


class Administrator:
    """Holds a token of the API; `patience` repeats calls under one idempotency key."""

    def __init__(
        self, http: httpx2.Client, url: str, token: str, *, patience: Patience = IMPATIENT
    ) -> None:
        self.http = http
        self.base = f"{url.rstrip('/')}/api/v1"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.patience = patience

    # People

    def add_person(self, email: str, first_name: str = "", last_name: str = "") -> Row:
        body = {"email": email, "first_name": first_name, "last_name": last_name}
        return dict(self.post("/users/", body))

    def invite(self, *emails: str, **options: Any) -> list[Row]:
        """Invite people by address; all of them or nobody."""
        answer: list[Row] = self.post("/invitations/", {"emails": list(emails), **options})
        return answer

    def invitation_of(self, email: str) -> Row:
        [newest, *_] = self.list("/invitations/", q=email)
        return newest

    def revoke(self, email: str) -> None:
        self.post(f"/invitations/{self.invitation_of(email)['id']}/revoke/", {})

    # Devices

    def entries(self, udid: str) -> list[Row]:
        """Every entry of a device, the newest first."""
        found = self.list("/devices/", q=udid, archived="all")
        return sorted(found, key=lambda entry: -int(entry["epoch"]))

    def device(self, udid: str) -> Row:
        """The current entry of a device. Raises LookupError."""
        for entry in self.entries(udid):
            if entry["archived_at"] is None:
                return entry
        raise LookupError(f"the server knows no device {udid}")

    def commands(self, udid: str) -> list[Row]:
        """The commands of the current entry, the oldest first."""
        return self.list("/commands/", device=self.device(udid)["id"], sort="created_at")

    def order(self, udid: str, action: str, **body: Any) -> Row:
        """Any action of the API; wipe and close_order are confirmed with the device's label."""
        device = self.device(udid)
        if action in ("wipe", "close_order"):
            body = {"confirmation": device["label"], "reason": "simulation", **body}
        return dict(self.post(f"/devices/{device['id']}/{action.replace('_', '-')}/", body))

    def reveal_pin(self, udid: str) -> str | None:
        """The PIN that a Mac was locked with."""
        answer = self.post(f"/devices/{self.device(udid)['id']}/reveal-pin/", {})
        pin = answer["pin"]
        return None if pin is None else str(pin)

    def reveal_location(self, udid: str) -> Row | None:
        """Where a lost device said it is."""
        answer = self.post(f"/devices/{self.device(udid)['id']}/reveal-location/", {})
        place = answer["location"]
        return None if place is None else dict(place)

    def history(self, **filters: Any) -> list[Row]:
        return self.list("/history/", **filters)

    # Push certificate

    def push_state(self) -> str:
        return str(self.get("/push/")["state"])

    def request_push_certificate(self) -> str:
        """A signing request, in PEM."""
        return str(self.post("/push/requests/", {})["csr"])

    def upload_push_certificate(self, pem: str) -> None:
        self.post("/push/certificate/", {"certificate": pem})

    # Wire

    def get(self, path: str, **query: Any) -> Any:
        return self._read(
            self.patience.send(
                lambda: self.http.get(f"{self.base}{path}", params=query, headers=self.headers)
            )
        )

    def list(self, path: str, **query: Any) -> list[Row]:
        """All pages of a list."""
        answer = self.get(path, page_size=200, **query)
        rows = list(answer["results"])
        while answer["next"]:
            following = answer["next"]
            answer = self._read(self.http.get(following, headers=self.headers))
            rows += answer["results"]
        return rows

    def post(self, path: str, body: Row) -> Any:
        headers = {**self.headers, "Idempotency-Key": str(uuid.uuid4())}
        return self._read(
            self.patience.send(
                lambda: self.http.post(f"{self.base}{path}", json=body, headers=headers)
            )
        )

    @staticmethod
    def _read(response: httpx2.Response) -> Any:
        if not 200 <= response.status_code < 300:
            raise ServerRefused(response.status_code, response.content)
        return response.json() if response.content else None
