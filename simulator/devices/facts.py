"""Plausible hardware: serial numbers, UDIDs, product names and OS versions."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass

SERIAL_ALPHABET = "CDFGHJKLMNPQRTVWXY0123456789"
IPHONES = (
    ("iPhone17,1", "iPhone 16 Pro", "MYNC3", 256.0),
    ("iPhone16,2", "iPhone 15 Pro Max", "MU773", 512.0),
    ("iPhone15,4", "iPhone 15", "MTP43", 128.0),
    ("iPhone14,6", "iPhone SE", "MMXF3", 64.0),
)
IPADS = (
    ("iPad14,5", "iPad Pro (12.9-inch) (6th generation)", "MNXH3", 256.0),
    ("iPad13,18", "iPad (10th generation)", "MPQ03", 64.0),
)
MACS = (
    ("Mac16,1", "MacBook Pro", "MW2U3", 512.0),
    ("Mac15,12", "MacBook Air", "MRXN3", 256.0),
    ("Mac16,10", "Mac mini", "MU9D3", 256.0),
)
MOBILE_SYSTEMS = (("26.1", "23B85"), ("18.6.2", "22G100"), ("18.1", "22B83"), ("17.7.2", "21H221"))
MAC_SYSTEMS = (("26.1", "25B78"), ("15.6.1", "24G90"), ("15.1", "24B83"), ("14.7.1", "23H222"))


@dataclass(frozen=True)
class Facts:
    """What never changes on one piece of hardware, and its current system."""

    udid: str
    serial: str
    product_name: str
    model_name: str
    model_number: str
    device_name: str
    os_version: str
    build: str
    capacity: float
    wifi_mac: str
    bluetooth_mac: str
    imei: str = ""
    meid: str = ""


def new_random(seed: int | None = None) -> random.Random:
    return random.Random(seed) if seed is not None else random.SystemRandom()  # noqa: S311


def serial(rng: random.Random) -> str:
    return "".join(rng.choices(SERIAL_ALPHABET, k=10))


def mac_address(rng: random.Random) -> str:
    first = rng.choice((0x3C, 0x88, 0xA4, 0xF0))
    return ":".join(f"{part:02x}" for part in (first, *(rng.randrange(256) for _ in range(5))))


def imei(rng: random.Random) -> str:
    """15 digits with their Luhn check digit, grouped as iOS reports them."""
    digits = [3, 5, *(rng.randrange(10) for _ in range(12))]
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = digit * 2 if position % 2 == 0 else digit
        total += value - 9 if value > 9 else value
    text = "".join(map(str, [*digits, -total % 10]))
    return f"{text[:2]} {text[2:8]} {text[8:14]} {text[14]}"


def mobile(rng: random.Random, owner: str, *, kind: str = "iPhone") -> Facts:
    """An iPhone or an iPad of `owner`."""
    product, name, number, capacity = rng.choice(IPHONES if kind == "iPhone" else IPADS)
    version, build = rng.choice(MOBILE_SYSTEMS)
    has_radio = kind == "iPhone"
    number_imei = imei(rng) if has_radio else ""
    return Facts(
        udid=f"{rng.choice(('00008140', '00008130', '00008120'))}-{rng.getrandbits(64):016X}",
        serial=serial(rng),
        product_name=product,
        model_name=name,
        model_number=f"{number}ZD/A",
        device_name=f"{owner}'s {kind}" if owner else kind,
        os_version=version,
        build=build,
        capacity=capacity,
        wifi_mac=mac_address(rng),
        bluetooth_mac=mac_address(rng),
        imei=number_imei,
        meid=number_imei.replace(" ", "")[:14],
    )


def mac(rng: random.Random, owner: str) -> Facts:
    """A Mac with Apple silicon of `owner`."""
    product, name, number, capacity = rng.choice(MACS)
    version, build = rng.choice(MAC_SYSTEMS)
    return Facts(
        udid=str(uuid.UUID(int=rng.getrandbits(128), version=4)).upper(),
        serial=serial(rng),
        product_name=product,
        model_name=name,
        model_number=f"{number}D/A",
        device_name=f"{owner}'s {name}" if owner else name,
        os_version=version,
        build=build,
        capacity=capacity,
        wifi_mac=mac_address(rng),
        bluetooth_mac=mac_address(rng),
    )
