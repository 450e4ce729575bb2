"""Every route of the server, read from the URL resolver."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
SAMPLES = {
    "uuid": str(uuid.UUID(int=7)),
    "int": "7",
    "slug": "sample",
    "str": "sample",
    "path": "sample",
}


@dataclass(frozen=True)
class Route:
    """`pattern` is the route as written; `parameters` maps its names to their converters."""

    pattern: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    callback: object

    def path(self, **values: object) -> str:
        """An example path; parameters without a value get a sample of their kind."""
        chosen = {name: str(values.get(name, SAMPLES[kind])) for name, kind in self.parameters}
        # Functions as replacements, because a value may hold what looks like a group reference.
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: chosen[found.group(1)], self.pattern)
        return f"/{path}"


def routes() -> list[Route]:
    """Every route of both planes; what /me/ serves is in a table of its own."""
    planes = (settings.ROOT_URLCONF, settings.ME_URLCONF)
    return [route for plane in planes for route in _walk(get_resolver(plane), "", "")]


def _walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        written, parameters = _describe(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, prefix + written, inner)
        elif isinstance(entry, URLPattern):
            pattern = prefix + written
            kinds = dict(re.findall(r"<(\w+):(\w+)>", pattern))
            named = {name: kind for kind, name in re.findall(r"<(\w+):(\w+)>", pattern)} or kinds
            yield Route(
                pattern=pattern,
                name=f"{namespace}{entry.name or ''}",
                parameters=tuple({**named, **dict(parameters)}.items()),
                callback=entry.callback,
            )


def _describe(pattern: object) -> tuple[str, list[tuple[str, str]]]:
    """Return a pattern as a route with `<kind:name>`, whichever way it was written."""
    if isinstance(pattern, RoutePattern):
        text = str(pattern)
        return re.sub(r"<(\w+)>", r"<str:\1>", text), []
    assert isinstance(pattern, RegexPattern)
    text = str(pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
    # The named groups of our regular expressions hold no groups of their own.
    text = re.sub(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)", r"<str:\1>", text)
    text = re.sub(r"\(\?:[^)]*\)\??|\\?/\?$", "", text).replace("\\", "")
    return text, []
