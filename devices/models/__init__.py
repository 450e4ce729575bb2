"""Models of managed devices."""

from devices.models.channel import Channel, ChannelState
from devices.models.command import Command, CommandRank
from devices.models.device import (
    Device,
    DeviceContact,
    InventorySection,
    Ownership,
    PhysicalDevice,
    Platform,
)
from devices.models.identity import Identity

__all__ = [
    "Channel",
    "ChannelState",
    "Command",
    "CommandRank",
    "Device",
    "DeviceContact",
    "Identity",
    "InventorySection",
    "Ownership",
    "PhysicalDevice",
    "Platform",
]
