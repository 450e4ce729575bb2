"""What a rule means, written a second time in plain Python: the query must agree with it."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

from core.rules.tree import Branch

NEGATIVE = {
    "not_equals": "equals",
    "not_contains": "contains",
    "not_begins": "begins",
    "not_ends": "ends",
    "not_member": "member",
    "not_blank": "blank",
}


def plain(text):
    letters = []
    for letter in text:
        if "À" <= letter <= "ſ":
            letters.append(unicodedata.normalize("NFD", letter.lower())[0])
        else:
            letters.append(letter.lower() if letter.isascii() else letter)
    return "".join(letters)


def version(text):
    found = re.match(r"[0-9]{1,9}(\.[0-9]{1,9}){0,5}", text or "")
    numbers = [int(part) for part in found[0].split(".")] if found else None
    while numbers and len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return numbers


def holds(rule, facts, catalogue, moment):
    """Say whether a row with these facts (field -> value, None for a missing one) is chosen."""
    if isinstance(rule, Branch):
        parts = [holds(one, facts, catalogue, moment) for one in rule.rules]
        return all(parts) if rule.match == "all" else any(parts)
    kind, fact = catalogue[rule.field].kind, facts[rule.field]
    if rule.operator in NEGATIVE:
        return not compare(kind, NEGATIVE[rule.operator], fact, rule.values, moment)
    return compare(kind, str(rule.operator), fact, rule.values, moment)


def compare(kind, operator, fact, values, moment):
    if kind == "group":
        return values[0] in fact
    if kind == "choice":
        return fact == values[0]
    if kind == "text":
        fact = plain(fact or "")
        return fact == "" if operator == "blank" else texts(operator, fact, plain(values[0]))
    if kind == "version":
        fact, values = version(fact), [version(value) for value in values]
    if operator == "blank":
        return fact is None
    if fact is None:
        return False
    return (
        moments(operator, fact, values, moment)
        if kind == "moment"
        else known(operator, fact, values, moment)
    )


def known(operator, fact, values, moment):
    if operator == "within_days":
        return moment.today - dt.timedelta(days=values[0]) <= fact <= moment.today
    if operator == "older_days":
        return fact < moment.today - dt.timedelta(days=values[0])
    return ordered(operator, fact, values)


def texts(operator, fact, value):
    match operator:
        case "equals":
            return fact == value
        case "contains":
            return value in fact
        case "begins":
            return fact.startswith(value)
        case "ends":
            return fact.endswith(value)
    raise AssertionError(operator)


def ordered(operator, fact, values):
    match operator:
        case "equals":
            return fact == values[0]
        case "less":
            return fact < values[0]
        case "greater":
            return fact > values[0]
        case "between":
            return values[0] <= fact <= values[1]
    raise AssertionError(operator)


def moments(operator, fact, values, moment):
    if operator == "within_days":
        return moment.now - dt.timedelta(days=values[0]) <= fact <= moment.now
    if operator == "older_days":
        return fact < moment.now - dt.timedelta(days=values[0])
    return ordered(operator, fact.astimezone(moment.zone).date(), values)
