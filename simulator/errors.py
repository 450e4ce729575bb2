"""What can go wrong for a simulated person or device, one class per outcome a test may expect."""

from __future__ import annotations


class SimulatorError(Exception):
    """Base class of every outcome below."""


class Unreachable(SimulatorError):
    """The server did not answer within the patience of the caller."""


class PageRefused(SimulatorError):
    """A registration page would not let the person on."""

    def __init__(self, step: str | None, errors: list[str], status: int) -> None:
        super().__init__(f"page refused at step {step!r} with {status}: {'; '.join(errors)}")
        self.step = step
        self.errors = errors
        self.status = status


class ProfileRejected(SimulatorError):
    """The device would show an error instead of installing this profile."""


class SignatureInvalid(SimulatorError):
    """A CMS signature, digest or chain does not hold."""


class ScepProtocolError(SimulatorError):
    """The SCEP server answered something that a device cannot read or must not trust."""


class ScepRefused(SimulatorError):
    """The SCEP server answered FAILURE."""

    def __init__(self, fail_info: str, text: str = "") -> None:
        super().__init__(f"SCEP refused: {fail_info} {text}".rstrip())
        self.fail_info = fail_info
        self.text = text


class ServerRefused(SimulatorError):
    """An MDM request got a status that is neither success nor an order to unenroll."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(f"server answered {status}: {body[:200]!r}")
        self.status = status
        self.body = body


class Unenrolled(SimulatorError):
    """The server told the device to drop management (401, or 403 with the modern error body)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"server unenrolled the device with {status}")
        self.status = status


class CommandError(SimulatorError):
    """A command that the device answers with Status Error."""

    def __init__(self, code: int, domain: str, description: str) -> None:
        super().__init__(f"{domain} {code}: {description}")
        self.code = code
        self.domain = domain
        self.description = description

    def chain(self) -> list[dict[str, object]]:
        return [
            {
                "ErrorCode": self.code,
                "ErrorDomain": self.domain,
                "LocalizedDescription": self.description,
                "USEnglishDescription": self.description,
            }
        ]
