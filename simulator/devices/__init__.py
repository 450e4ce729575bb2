"""Simulated devices: IPhone, IPad and Mac."""

from __future__ import annotations

from .device import Device
from .iphone import IPad, IPhone
from .mac import Mac

__all__ = ["Device", "IPad", "IPhone", "Mac"]
