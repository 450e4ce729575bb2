"""What every domain error is made of."""

from __future__ import annotations


class DomainError(Exception):
    """A refusal that a person or a program can act on.

    `code` is stable and for programs, `message` is translated and for people, `status` is the
    HTTP status that an interface answers with, `field` names the form field if there is one.
    """

    code = "error"
    status = 400
    message: str = ""

    def __init__(self, message: str = "", *, field: str = "") -> None:
        self.message = message or str(self.message)
        self.field = field
        super().__init__(self.message)
