"""The French catalogue: one word for each thing, nothing left in English, French typography."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import polib
import pytest
from django.utils import dates, translation

from devices.states import DeviceState
from tests.architecture.sources import ROOT

NBSP = "\N{NO-BREAK SPACE}"
PLACEHOLDER = re.compile(r"%\(\w+\)(?:\.\d+)?[sdf]|%%")
TAG = re.compile(r"<[^>]*>")
ADDRESS = re.compile(r"\S+://\S+|\S+@\S+")

# What must not be written at all, and what is said instead.
BANNED = {
    r"enregistrement|enr[oô]l\w*": "inscription",
    r"tu|toi|ton|ta|tes|t[’']\w+": "vous",
    r"terminal|terminaux|périphériques?|dispositifs?": "appareil",
    r"courriels?|mél|emails?|(?<!e-)mails?": "e-mail",
    r"(?<!code )(?<!codes )PIN": "code PIN",
    r"utilisateurs?|utilisatrices?|usagers?": "personne",
    r"tokens?": "jeton",
    r"login": "se connecter",
    r"désenr\w*|désinstall\w*": "désinscrit",
    r"mobiles?": "appareil",
}
# A French word, and what has to stand in English for it to be the right one.
ONLY_FOR = {
    r"effac\w*": r"\bwip|\berase",
    r"réinitialis\w*": r"\breset\b",
    r"retir\w*|retraits?": r"\bretire|\bremove one",
    r"inscri\w*|désinscri\w*": r"enroll|regist|^Never finished$",
    r"verrouill\w*": r"\block|passcode",
    r"révo[qc]\w*": r"revoke|withdrawn",
}
# An English word, and the French one that must stand for it.
ALWAYS = {
    r"\bwip(?:e|ed|es|ing)\b": r"\beffac",
    r"(?<!Key )\bretire[sd]?\b": r"\bretir|\bretrait",
    r"\benroll": r"inscri",
    r"\bregist(?:er|ration)": r"inscri",
    r"\binvitations?\b": r"\binvitation|\bpersonne",
    r"\bmanagement profile\b": r"\bprofil de gestion",
    r"\bpush certificate\b": r"\bcertificat push",
    r"\bAPI tokens?\b": r"\bjetons? d’API",
    r"\bPINs?\b": r"\bcodes? ",
}
# Words that are the same in both languages, and names.
SAME = {
    "Action", "Actions", "Android", "App", "Apple", "Apps", "Date", "IMEI", "Incident",
    "Invitations", "Local", "MEID", "Mac", "Menu", "Organisation", "Page %(number)s", "Pages",
    "Topic", "Version", "action", "iPad", "iPhone", "invitation", "invitations",
    "Webhooks", "organisation", "organisations", "topic", "webhook", "webhooks",
}  # fmt: skip
ENGLISH = re.compile(
    r"\b(?:the|of|and|with|your|you|is|are|was|were|this|that|not|has|have|for|from|its?|to|be|by)\b",
    re.IGNORECASE,
)
GLOSSARY = {
    DeviceState.ENROLLING: "Inscription en cours",
    DeviceState.ACTIVE: "Actif",
    DeviceState.RETIRE_PENDING: "Retrait en attente",
    DeviceState.RETIRE_SENT: "Retrait envoyé",
    DeviceState.RETIRED: "Retiré",
    DeviceState.WIPE_PENDING: "Effacement en attente",
    DeviceState.WIPE_SENT: "Effacement envoyé",
    DeviceState.WIPED: "Effacé",
    DeviceState.RESET: "Réinitialisé",
    DeviceState.UNENROLLED: "Désinscrit par la personne",
    DeviceState.ABANDONED: "Inscription inachevée",
}


@cache
def catalogue() -> polib.POFile:
    return polib.pofile(str(ROOT / "locale/fr/LC_MESSAGES/django.po"))


@cache
def pairs() -> list[tuple[str, str]]:
    """Each English text with each French one that is shown for it."""
    found = []
    for entry in catalogue():
        if entry.msgid_plural:
            found.append((entry.msgid, entry.msgstr_plural[0]))
            found.append((entry.msgid_plural, entry.msgstr_plural[1]))
        else:
            found.append((entry.msgid, entry.msgstr))
    return found


def bare(text: str) -> str:
    """The words of a text, without what is filled in, tags and addresses."""
    return ADDRESS.sub("", PLACEHOLDER.sub("", TAG.sub("", text)))


@pytest.mark.parametrize(("banned", "instead"), BANNED.items())
def test_one_word_for_each_thing(banned, instead):
    pattern = re.compile(rf"(?<![\w-])(?:{banned})(?![\w-])", re.IGNORECASE)
    wrong = [french for _, french in pairs() if pattern.search(bare(french))]
    assert wrong == [], f"say {instead!r}"


@pytest.mark.parametrize(("word", "english"), ONLY_FOR.items())
def test_a_word_stands_for_one_thing_only(word, english):
    pattern = re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
    wrong = [
        (source, french)
        for source, french in pairs()
        if pattern.search(bare(french)) and not re.search(english, source, re.IGNORECASE)
    ]
    assert wrong == []


@pytest.mark.parametrize(("english", "word"), ALWAYS.items())
def test_each_thing_has_its_word(english, word):
    wrong = [
        (source, french)
        for source, french in pairs()
        if re.search(english, source, re.IGNORECASE)
        and not re.search(word, bare(french), re.IGNORECASE)
    ]
    assert wrong == []


def test_what_is_filled_in_is_the_same_on_both_sides():
    wrong = [
        (source, french)
        for source, french in pairs()
        if set(PLACEHOLDER.findall(source)) != set(PLACEHOLDER.findall(french))
        or Counter(TAG.findall(source)) != Counter(TAG.findall(french))
    ]
    assert wrong == []


def test_nothing_is_left_in_english():
    same = {source for source, french in pairs() if source == french and bare(source).strip(" –.:")}
    assert {text for text in same if re.search("[a-z]{2}", bare(text))} - SAME == set()
    assert [french for _, french in pairs() if ENGLISH.search(bare(french))] == []


def test_both_sides_end_alike():
    """A sentence stays a sentence, a question a question, a label a label."""
    ends = ".?:,"
    wrong = [
        (source, french)
        for source, french in pairs()
        if (source[-1] if source[-1] in ends else "") != (french[-1] if french[-1] in ends else "")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("mistake", "pattern"),
    [
        ("a plain space before ; : ! ? » or ›", r" [;:!?»›]"),
        ("no space before ; ! or ?", rf"[^\s{NBSP}][;!?](?:\s|$)"),
        ("no space before a colon", rf"[^\s{NBSP}]:(?:\s|$)"),
        ("no non-breaking space inside «", rf"«(?!{NBSP})"),
        ("no non-breaking space inside »", rf"(?<!{NBSP})»"),
        ("a straight apostrophe", "'"),
        ("quotation marks of another language", '["“”]'),
        ("three dots", r"\.\.\."),
        ("two spaces", rf"[ {NBSP}]{{2}}"),
        ("a plain space between number and unit", r"%\(\w+\)(?:\.\d+)?[sdf] (?:%%|[GM]o|min|h)\b"),
    ],
)
def test_french_typography(mistake, pattern):
    wrong = [french for _, french in pairs() if re.search(pattern, TAG.sub("", french))]
    assert wrong == [], mistake


def test_months_and_days_keep_the_names_that_django_gives_them():
    """A text of ours that is also the name of a month would take its place in every date."""
    named = {
        *dates.WEEKDAYS.values(),
        *dates.WEEKDAYS_ABBR.values(),
        *dates.MONTHS.values(),
        *dates.MONTHS_3.values(),
    }
    with translation.override("en"):
        assert {str(name) for name in named} & {source for source, _ in pairs()} == set()


@pytest.mark.parametrize("state", DeviceState)
def test_states_have_the_words_of_the_glossary(state):
    with translation.override("fr"):
        assert str(state.label) == GLOSSARY[state]
