from __future__ import annotations

import ast
import datetime as dt
import hashlib
import re

import pytest

from core.models import HistoryEntry
from devices.states import DeviceState
from enrollment.states import InvitationStatus, SessionOutcome, SessionStage
from mdm.templatetags import muster
from mdm.words import commands, glossary, history, values
from tests.architecture.sources import ROOT, modules, templates, tree

VENDOR = ROOT / "static" / "vendor"
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
FORMATTED = {
    "devices.device.": DeviceState.values,
    "accounts.user.": ["enabled", "disabled"],
    "enrollment.invitation.": [*set(InvitationStatus.values) - {"pending"}, "sent", "resent"],
    "enrollment.session.": [*SessionStage.values, *set(SessionOutcome.values) - {"open"}],
    "devices.": [
        "devices.retire.cancelled",
        "devices.wipe.cancelled",
        *(
            f"devices.{noun}.{verb}"
            for noun in ("wipe", "limit")
            for verb in ("approved", "released", "stopped", "unapproved")
        ),
    ],
}
CHOSEN = {"devices.identity.issued", "devices.identity.renewed"}


def recorded() -> set[str]:
    """Every action that the code writes into the history."""
    found = set()
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "history.record":
                action = node.args[1] if len(node.args) > 1 else None
                if isinstance(action, ast.Constant):
                    found.add(action.value)
                elif isinstance(action, ast.JoinedStr):
                    prefix = action.values[0].value
                    found |= {
                        f"{prefix}{value.removeprefix(prefix)}" for value in FORMATTED[prefix]
                    }
    return found


def icons() -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', (VENDOR / "tabler/icons.svg").read_text()))


@pytest.mark.parametrize("vocabulary", glossary.VOCABULARIES)
def test_every_stored_value_has_a_word_a_meaning_and_an_icon(vocabulary):
    choices, looks = glossary.VOCABULARIES[vocabulary]
    assert set(looks) == set(choices.values)
    for value in choices.values:
        term = glossary.term(vocabulary, value)
        assert term.label
        assert term.tone in {"good", "attention", "danger", "progress", "neutral"}
        assert term.icon in icons()


def test_every_change_that_is_written_can_be_told():
    assert sorted((recorded() | CHOSEN) - set(history.ACTIONS)) == []


def test_every_icon_that_pages_use_is_in_the_sprite_and_no_other():
    used = set()
    for path in templates():
        used |= set(re.findall(r'\{% icon "([\w-]+)"', path.read_text()))
        used |= set(re.findall(r'icon_name(?:=|\|default:)"([\w-]+)"', path.read_text()))
    for path in modules():
        used |= set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', path.read_text())) & icons()
    assert used - icons() == set()
    assert icons() - used == set()


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (dt.timedelta(seconds=10), "just now"),
        (dt.timedelta(minutes=5), "5 min ago"),
        (dt.timedelta(hours=3), "3 h ago"),
        (dt.timedelta(days=1), "1 day ago"),
        (dt.timedelta(days=59), "59 days ago"),
        (dt.timedelta(days=100), "3 months ago"),
        (-dt.timedelta(seconds=30), "in less than a minute"),
        (-dt.timedelta(days=2), "in 2 days"),
    ],
)
def test_times_are_told_in_one_unit(delta, words):
    assert muster.in_words(NOW - delta, NOW) == words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["a", "b"], {"label": "state", "before": "a", "after": "b"}),
        ([None, True], {"label": "state", "before": "–", "after": "yes"}),
        ([["x"], []], {"label": "state", "before": "x", "after": ""}),
        ("plain", {"label": "state", "value": "plain"}),
        ({"a": 1}, {"label": "state", "value": "a: 1"}),
        ("x" * 5000, {"label": "state", "value": "x" * 300}),
    ],
)
def test_changes_are_shown_as_before_and_after(value, shown):
    assert history.changes(HistoryEntry(data={"state": value})) == [shown]


@pytest.mark.parametrize(
    ("action", "name", "value", "shown"),
    [
        ("devices.device.wipe_sent", "state", "wipe_sent", "Wipe sent"),
        ("accounts.token.created", "scopes", ["devices.view"], "See devices"),
        ("accounts.roles.changed", "roles", ["helpdesk", "own-role"], "Help desk, own-role"),
        ("enrollment.session.refused", "reason", "device_limit", "The person has as many"),
        ("devices.device.wipe_pending", "reason", "revoked", "revoked"),
        ("enrollment.invitation.sent", "expires_at", "2026-03-01T12:00:00+00:00", "March 1, 2026"),
        ("enrollment.invitation.sent", "expires_at", "2026-99-99T12:00:00+00:00", "2026-99-99T"),
        ("enrollment.invitation.sent", "expires_at", "2026-03-01T12:00:00", "2026-03-01T12"),
    ],
)
def test_stored_values_are_told_in_words(action, name, value, shown):
    assert values.text(name, value, action=action).startswith(shown)


def test_a_field_of_the_policy_has_its_label():
    assert values.field("pin_days") == "days a PIN is valid"


@pytest.mark.parametrize(
    ("kind", "label", "shown"),
    [
        ("user", "olga@acme.test", "olga@acme.test"),
        ("system", "bootstrap", "Set-up of the server"),
        ("system", "recover_owner", "Console of the server"),
        ("system", "deadlines", "Muster itself"),
        ("device", "SCEP client", "the device"),
    ],
)
def test_who_acted_is_told_in_words(kind, label, shown):
    assert values.actor(HistoryEntry(actor_kind=kind, actor_label=label)) == shown


def test_what_a_device_calls_an_error_is_read_with_care():
    class Odd:
        error = [None, {"description": None, "domain": "D"}, {"code": 5}, {"x": 1}]

    assert "(D ?)" in commands.error_text(Odd())


def test_vendored_files_are_what_the_list_says():
    listed = dict(re.findall(r"\| `([\w/.-]+)` \| `([0-9a-f]{64})` \|", _vendored()))
    present = {
        str(path.relative_to(VENDOR))
        for path in VENDOR.rglob("*")
        if path.is_file() and not path.name.startswith(("LICENSE", "VENDORED"))
    }
    assert set(listed) == present
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


def _vendored() -> str:
    return (VENDOR / "VENDORED.md").read_text()


def test_the_pages_of_end_users_weigh_less_than_100_kilobytes():
    """U-47, without the page itself: style, script, icon, and the font of western languages."""
    static = ROOT / "static"
    parts = ["css/go.css", "js/go.js", "img/icon.svg", "vendor/inter/inter-latin-wght-normal.woff2"]
    assert sum((static / part).stat().st_size for part in parts) < 80_000


def test_the_scripts_stay_small():
    static = ROOT / "static/js"
    assert (static / "app.js").read_text().count("\n") <= 200
    own = sum(path.stat().st_size for path in static.glob("*.js"))
    assert own + (VENDOR / "htmx/htmx.min.js").stat().st_size < 100_000
