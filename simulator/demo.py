"""A living tenant: people in every stage of enrollment, devices in every state, small events."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from . import registration, storage
from .campaign import Campaign, Party
from .devices import Device
from .errors import PageRefused, SimulatorError

EVENT_SECONDS = 75.0
MOST_DEVICES = 40
Scene = Callable[[Party], None]


class Demo:
    """Furnishes a tenant once, then lets its devices live; a failing scene is told, not fatal."""

    def __init__(self, campaign: Campaign, *, event_seconds: float = EVENT_SECONDS) -> None:
        self.campaign = campaign
        self.event_seconds = event_seconds
        self.devices: list[Device] = []
        self._asleep: set[str] = set()
        self._number = 0

    # Scenes: what becomes of an invited person's device

    def scenes(self) -> list[tuple[str, Scene]]:
        """Device kind and scene, the busy part of the tenant first."""
        enroll = self.campaign.enroll
        return [
            *[(kind, enroll) for kind in ("iphone", "mac", "iphone", "ipad", "mac", "iphone")],
            ("iphone", self.never_opens),
            ("mac", self.never_opens),
            ("iphone", self.opens),
            ("iphone", self.mistypes),
            ("ipad", self.registers),
            ("iphone", self.downloads),
            ("mac", self.gets_an_identity),
            ("iphone", self.checks_in),
            ("iphone", self.is_retired),
            ("mac", self.is_retired_while_asleep),
            ("iphone", self.is_wiped),
            ("mac", self.is_locked),
            ("iphone", self.leaves),
            ("iphone", self.comes_back),
            ("mac", self.is_busy),
            ("ipad", self.refuses),
            ("iphone", self.is_revoked),
        ]

    def never_opens(self, party: Party) -> None:
        self.campaign.story.tell(party.name, "leaves the mail unopened")

    def opens(self, party: Party) -> None:
        self._walk(party, stop_at="pin")

    def mistypes(self, party: Party) -> None:
        for _ in range(2):
            try:
                self._walk(party, stop_at="", pin="00000000")
            except PageRefused as refused:
                self.campaign.story.tell(party.name, f"is told: {'; '.join(refused.errors)}")

    def registers(self, party: Party) -> None:
        self._walk(party, stop_at="profile")

    def downloads(self, party: Party) -> None:
        self._download(party)

    def gets_an_identity(self, party: Party) -> None:
        party.device.install(self._download(party), stop_before="authenticate")

    def checks_in(self, party: Party) -> None:
        party.device.install(self._download(party), stop_before="token_update")

    def is_retired(self, party: Party) -> None:
        self.campaign.enroll(party)
        self.campaign.order(party.device, "retire")

    def is_retired_while_asleep(self, party: Party) -> None:
        self.campaign.enroll(party)
        self._asleep.add(party.device.udid)
        self.campaign.administrator.order(party.device.udid, "retire")
        self.campaign.story.tell(party.name, "is away: the retirement waits")

    def is_wiped(self, party: Party) -> None:
        self.campaign.enroll(party)
        self.campaign.order(party.device, "wipe")

    def is_locked(self, party: Party) -> None:
        self.campaign.enroll(party)
        self.campaign.administrator.order(party.device.udid, "lock")
        self.campaign.settle(party.device)

    def leaves(self, party: Party) -> None:
        self.campaign.enroll(party)
        party.device.leave()

    def comes_back(self, party: Party) -> None:
        self.campaign.enroll(party)
        party.device.erase()
        self.campaign.enroll(party)

    def is_busy(self, party: Party) -> None:
        party.device.script.add("SecurityInfo", "not_now", times=-1)
        self.campaign.enroll(party)

    def refuses(self, party: Party) -> None:
        party.device.script.add("InstalledApplicationList", "error", times=2, code=12024)
        self.campaign.enroll(party)

    def is_revoked(self, party: Party) -> None:
        self.opens(party)
        self.campaign.administrator.revoke(party.person.email)

    def _walk(self, party: Party, *, stop_at: str, pin: str = "") -> None:
        if party.invitation is None:
            raise SimulatorError(f"{party.name} was not invited")
        browser = party.person.browser_on(party.device)
        registration.register(
            browser,
            party.invitation.link,
            pin=pin or party.invitation.pin,
            password=party.person.password,
            stop_at=stop_at,
        )
        self.campaign.story.tell(party.name, f"stops at the step “{stop_at}”")

    def _download(self, party: Party) -> bytes:
        if party.invitation is None:
            raise SimulatorError(f"{party.name} was not invited")
        _, data = party.person.fetch_profile(
            party.device, party.invitation.link, pin=party.invitation.pin
        )
        self.campaign.story.tell(party.name, "downloaded the profile")
        return data

    # The run

    def run(self, stop: threading.Event) -> None:
        """Furnish unless it was done before, then live until `stop`."""
        http, ledger = self.campaign.http, self.campaign.story.ledger
        self.devices = storage.load_all(self.campaign.folder, http, ledger=ledger)
        for device in self.devices:
            self.campaign.story.introduce(device)
        mark = self.campaign.folder / "furnished.json"
        if not mark.exists():
            self.furnish()
            mark.write_text(json.dumps({"asleep": sorted(self._asleep)}))
        self._asleep = set(json.loads(mark.read_text())["asleep"])
        self.live(stop)

    def furnish(self) -> None:
        """Invite everybody at once and play the scenes."""
        self.campaign.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        scenes = self.scenes()
        parties = [self._party(kind) for kind, _ in scenes]
        self.campaign.invite(parties)
        for party, (_, scene) in zip(parties, scenes, strict=True):
            self._play(party, scene)

    def live(self, stop: threading.Event) -> None:
        """Devices poll on threads of their own while something small happens now and then."""
        self.devices = [device for device in self.devices if device.udid not in self._asleep]
        life = threading.Thread(target=self.campaign.live, args=(self.devices, stop), daemon=True)
        life.start()
        while not stop.wait(self.event_seconds):
            self._something_happens()
        life.join()

    def _something_happens(self) -> None:
        managed = [one for one in self.devices if one.is_managed and not one.is_locked]
        if len(managed) < MOST_DEVICES and self.campaign.rng.random() < 0.5:
            party = self._party(self.campaign.rng.choice(("iphone", "iphone", "mac")))
            try:
                self.campaign.invite([party])
            except SimulatorError as error:
                self.campaign.story.tell(party.name, f"was not invited: {error}")
                return
            self._play(party, self.campaign.enroll)
        elif managed:
            device = self.campaign.rng.choice(managed)
            try:
                self.campaign.administrator.order(device.udid, "check_in")
            except (SimulatorError, LookupError) as error:
                self.campaign.story.tell(self.campaign.story.name_of(device), str(error))

    def _party(self, kind: str) -> Party:
        self._number += 1
        return self.campaign.party(kind, self._number)

    def _play(self, party: Party, scene: Scene) -> None:
        try:
            scene(party)
        except (SimulatorError, LookupError) as error:
            self.campaign.story.tell(party.name, f"got stuck: {error}")
        if party.device.is_managed:
            self.devices.append(party.device)
            storage.save(party.device, self.campaign.folder)
