"""Answers to the commands that iPhones and Macs share; each returns the result's own keys."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from ..errors import CommandError, ProfileRejected, SimulatorError

if TYPE_CHECKING:
    from .channel import Channel
    from .device import Device


def device_information(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    """Unknown and forbidden queries are simply left out."""
    known = device.information()
    wanted = command.get("Queries") or list(known)
    return {"QueryResponses": {query: known[query] for query in wanted if query in known}}


def security_info(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    return {"SecurityInfo": device.security()}


def profile_list(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    return {"ProfileList": [profile.entry() for profile in device.profiles.values()]}


def certificate_list(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    found = [_certificate(root, is_identity=False) for root in device.managed_by.roots]
    identity = device.client.identity.certificate
    return {"CertificateList": [*found, _certificate(identity, is_identity=True)]}


def _certificate(certificate: x509.Certificate, *, is_identity: bool) -> dict[str, Any]:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return {
        "CommonName": str(names[0].value) if names else "",
        "Data": certificate.public_bytes(serialization.Encoding.DER),
        "IsIdentity": is_identity,
    }


def installed_applications(
    device: Device, channel: Channel, command: dict[str, Any]
) -> dict[str, Any]:
    wanted = command.get("Identifiers")
    every = [] if command.get("ManagedAppsOnly") else device.applications()
    found = [app for app in every if not wanted or app["Identifier"] in wanted]
    if items := command.get("Items"):
        kept = {*items, "Identifier"}
        found = [{key: value for key, value in app.items() if key in kept} for app in found]
    return {"InstalledApplicationList": found}


def install_profile(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    payload = command.get("Payload")
    if not isinstance(payload, bytes):
        raise CommandError(12008, "MCMDMErrorDomain", "The request is malformed.")
    try:
        device.install_profile(payload)
    except CommandError:
        raise
    except ProfileRejected as error:
        raise CommandError(1000, "MCProfileErrorDomain", f"Invalid profile: {error}") from error
    except SimulatorError as error:
        raise CommandError(
            4001, "MCInstallationErrorDomain", f"Profile installation failed: {error}"
        ) from error
    return {}


def remove_profile(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    """Removing the enrollment profile ends management once the result has been delivered."""
    identifier = command.get("Identifier")
    if identifier not in device.profiles:
        text = f"The profile {identifier!r} is not managed by MDM."
        raise CommandError(12013, "MCMDMErrorDomain", text)
    if identifier == device.managed_by.identifier:
        device.defer(device.leave)
    else:
        del device.profiles[identifier]
    return {}


def erase_device(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    """Acknowledged once, never repeated, then silence."""
    device.answers_once = True
    device.defer(device.erase)
    return {}


def need_supervision(device: Device, what: str) -> None:
    """Macs do these things without supervision."""
    if not device.is_supervised and device.kind != "Mac":
        text = f"{what} is for supervised devices only."
        raise CommandError(12021, "MCMDMErrorDomain", text)


def restart(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    need_supervision(device, "RestartDevice")
    device.defer(lambda: device.ledger.step(device.udid, "restarted"))
    return {}


def shut_down(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    need_supervision(device, "ShutDownDevice")
    device.defer(device.shut_down)
    return {}


def settings(device: Device, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
    """Each setting is answered for itself; the command is acknowledged all the same."""
    return {"Settings": [_change(device, item) for item in command.get("Settings", [])]}


def _change(device: Device, item: dict[str, Any]) -> dict[str, Any]:
    try:
        if item.get("Item") != "DeviceName" or not item.get("DeviceName"):
            raise CommandError(12008, "MCMDMErrorDomain", "The setting is malformed.")
        need_supervision(device, "DeviceName")
    except CommandError as error:
        return {"Status": "Error", "ErrorChain": error.chain()}
    device.facts = dataclasses.replace(device.facts, device_name=item["DeviceName"])
    device.ledger.step(device.udid, "renamed", item["DeviceName"])
    return {"Status": "Acknowledged"}


COMMON = {
    "DeviceInformation": device_information,
    "SecurityInfo": security_info,
    "ProfileList": profile_list,
    "CertificateList": certificate_list,
    "InstalledApplicationList": installed_applications,
    "InstallProfile": install_profile,
    "RemoveProfile": remove_profile,
    "EraseDevice": erase_device,
    "RestartDevice": restart,
    "ShutDownDevice": shut_down,
    "Settings": settings,
}
USER_COMMANDS = frozenset(COMMON) - {"EraseDevice", "RestartDevice", "ShutDownDevice", "Settings"}
