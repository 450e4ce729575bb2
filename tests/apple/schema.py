"""Checks what we emit against Apple's published schema; mark such tests with `schema`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from tests.lanes import SCHEMA

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "real": (int, float),
    "boolean": bool,
    "date": datetime,
    "data": bytes,
    "array": list,
    "dictionary": dict,
    "any": object,
}


@cache
def objects(name: str) -> list[dict[str, Any]]:
    return json.loads((SCHEMA / f"{name}.json").read_text(encoding="utf-8"))["objects"]


def find(name: str, key: str, value: str) -> dict[str, Any]:
    return next(item for item in objects(name) if item.get(key) == value)


def command_problems(
    command: dict[str, Any], *, system: str, version: tuple[int, ...] = (), channel: str = "device"
) -> list[str]:
    """Return what is wrong with a Command dictionary for that system, version and channel."""
    schema = find("commands", "requesttype", command["RequestType"])
    body = {key: value for key, value in command.items() if key != "RequestType"}
    problems = list(_availability(schema["os"].get(system), version, channel, "command"))
    if command["RequestType"] == "DeviceInformation":
        problems += _queries(schema, body["Queries"], system, version, channel)
        schema_keys: list[dict[str, Any]] = [{**schema["keys"][0], "subkeys": None}]
    else:
        schema_keys = schema.get("keys", [])
    return problems + list(_check(body, schema_keys, system, version))


def checkin_problems(message: dict[str, Any]) -> list[str]:
    schema = find("checkin", "requesttype", message["MessageType"])
    return list(_check(message, schema["keys"], "macOS", ()))


def response_problems(request_type: str, result: dict[str, Any], *, system: str) -> list[str]:
    """Return what is wrong with the result keys of an acknowledged command."""
    schema = find("commands", "requesttype", request_type)
    return list(_check(result, schema.get("response", []), system, ()))


def profile_problems(profile: dict[str, Any], *, system: str) -> list[str]:
    """Return what is wrong with a whole profile: its top level and each payload in it."""
    top = find("profiles", "payloadtype", "TopLevel")["keys"]
    # The schema wraps the languages of ConsentText into one more dictionary than devices read.
    consent = profile.get("ConsentText", {})
    flat = {key: value for key, value in profile.items() if key != "ConsentText"}
    problems = list(_check(flat, top, system, ()))
    problems += [
        f"ConsentText.{key}" for key, value in consent.items() if not isinstance(value, str)
    ]
    for payload in profile["PayloadContent"]:
        problems += payload_problems(payload, system=system)
    return problems


def payload_problems(payload: dict[str, Any], *, system: str) -> list[str]:
    kind = payload["PayloadType"]
    schema = find("profiles", "payloadtype", kind)
    common = find("profiles", "payloadtype", "CommonPayloadKeys")["keys"]
    problems = list(_availability(schema["os"].get(system), (), "device", kind))
    return problems + list(_check(payload, common + schema["keys"], system, (), f"{kind}."))


def _queries(
    schema: dict[str, Any], queries: list[str], system: str, version: tuple[int, ...], channel: str
) -> Iterator[str]:
    known = {key["key"]: key for key in schema["keys"][0]["subkeys"][0]["subkeys"]}
    for query in queries:
        if query not in known:
            yield f"Queries: {query} is unknown"
            continue
        where = {**schema["os"][system], **known[query].get("os", {}).get(system, {})}
        yield from _availability(where, version, channel, query)


def _availability(
    where: dict[str, Any] | None, version: tuple[int, ...], channel: str, name: str
) -> Iterator[str]:
    if where is None or where.get("introduced") == "n/a":
        yield f"{name}: not on this system"
        return
    if version and _version(where["introduced"]) > version:
        yield f"{name}: introduced in {where['introduced']}"
    if version and "removed" in where and _version(where["removed"]) <= version:
        yield f"{name}: removed in {where['removed']}"
    if where.get(f"{channel}channel", channel == "device") is False:
        yield f"{name}: not on the {channel} channel"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _check(
    body: dict[str, Any],
    keys: list[dict[str, Any]],
    system: str,
    version: tuple[int, ...],
    path: str = "",
) -> Iterator[str]:
    known = {key["key"]: key for key in keys}
    free = next((key for key in keys if key["key"].startswith("ANY")), None)
    for name, key in known.items():
        if key.get("presence") == "required" and name not in body and key is not free:
            yield f"{path}{name}: missing"
    for name, value in body.items():
        key = known.get(name, free)
        if key is None:
            yield f"{path}{name}: unknown"
            continue
        where = key.get("os", {}).get(system, {})
        if where.get("introduced") == "n/a":
            yield f"{path}{name}: not on {system}"
        elif version and "introduced" in where and _version(where["introduced"]) > version:
            yield f"{path}{name}: introduced in {where['introduced']}"
        yield from _check_value(value, key, system, version, f"{path}{name}")


def _check_value(
    value: Any, key: dict[str, Any], system: str, version: tuple[int, ...], path: str
) -> Iterator[str]:
    expected = _TYPES[key["type"]]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is int):
        yield f"{path}: {type(value).__name__} instead of {key['type']}"
        return
    if isinstance(value, (str, int, float)):
        yield from _check_scalar(value, key, path)
    if isinstance(value, dict) and key.get("subkeys"):
        yield from _check(value, key["subkeys"], system, version, f"{path}.")
    if isinstance(value, list) and key.get("subkeys"):
        for index, item in enumerate(value):
            kind = _kind_of(item, key["subkeys"])
            yield from _check_value(item, kind, system, version, f"{path}[{index}]")


def _kind_of(item: Any, kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """The items of some arrays are of several kinds, and name theirs."""
    named = item.get("Item") if isinstance(item, dict) else None
    return next((kind for kind in kinds if kind["key"] == named), kinds[0])


def _check_scalar(value: str | float, key: dict[str, Any], path: str) -> Iterator[str]:
    if key.get("rangelist") and value not in key["rangelist"]:
        yield f"{path}: {value!r} is not allowed"
    if key.get("format") and not re.search(key["format"], str(value)):
        yield f"{path}: {value!r} has the wrong form"
    limits = key.get("range", {})
    too_small = "min" in limits and value < limits["min"]
    if too_small or ("max" in limits and value > limits["max"]):
        yield f"{path}: {value!r} is out of range"
