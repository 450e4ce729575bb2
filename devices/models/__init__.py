"""Models of managed devices."""

from devices.models.attribute import DeviceAttributeValue
from devices.models.channel import Channel, ChannelState
from devices.models.cleanup import CleanupKind, CleanupRule, CleanupSchedule
from devices.models.command import Command, CommandRank
from devices.models.device import (
    Device,
    DeviceContact,
    InventorySection,
    Ownership,
    PhysicalDevice,
    Platform,
)
from devices.models.governance import (
    Hold,
    HoldKind,
    HoldMode,
    HoldState,
    Safeguard,
    WipeOrder,
    WipeOutcome,
)
from devices.models.group import DeviceGroup, DeviceGroupMembership
from devices.models.identifier import PhysicalIdentifier
from devices.models.identity import Identity
from devices.models.operation import (
    Operation,
    OperationState,
    OperationTarget,
    TargetState,
)

__all__ = [
    "Channel",
    "ChannelState",
    "CleanupKind",
    "CleanupRule",
    "CleanupSchedule",
    "Command",
    "CommandRank",
    "Device",
    "DeviceAttributeValue",
    "DeviceContact",
    "DeviceGroup",
    "DeviceGroupMembership",
    "Hold",
    "HoldKind",
    "HoldMode",
    "HoldState",
    "Identity",
    "InventorySection",
    "Operation",
    "OperationState",
    "OperationTarget",
    "Ownership",
    "PhysicalDevice",
    "PhysicalIdentifier",
    "Platform",
    "Safeguard",
    "TargetState",
    "WipeOrder",
    "WipeOutcome",
]
