"""Callers of the API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from tests import factories

BASE = "/api/v1/"


@dataclass
class Caller:
    """A program with a token; paths are below ``/api/v1/``."""

    token: str = ""
    scheme: str = "Bearer"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = Client(raise_request_exception=False)
        if self.token:
            headers["Authorization"] = f"{self.scheme} {self.token}"
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        return client.generic(
            method,
            path if path.startswith("/") else BASE + path,
            b"" if body is None else content,
            content_type="application/json",
            headers=headers,
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.call("PATCH", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def all(self, path: str) -> list[Any]:
        """Every row of a list, page by page."""
        rows, following = [], path
        while following:
            page = self.get(following.replace("http://testserver", ""))
            assert page.status_code == 200, page.content
            rows += page.json()["results"]
            following = page.json()["next"]
        return rows


@pytest.fixture
def caller():
    """Make a caller with a token of `user`, with some scopes or everything the user may."""

    def make(user, *scopes: str) -> Caller:
        _row, text = factories.token(user, *scopes)
        return Caller(text)

    return make


@pytest.fixture
def api(caller, owner):
    """The owner's program, which may everything."""
    return caller(owner)


@pytest.fixture
def foreign_api(caller, stranger):
    """The program of another organisation's owner."""
    return caller(stranger)


def code_of(answer) -> str:
    return answer.json()["error"]["code"]


def fields_of(answer) -> dict[str, Any]:
    return answer.json()["error"]["fields"]
