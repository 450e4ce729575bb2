from __future__ import annotations

import ast
import re
from functools import cache

import polib
import pytest

from tests.architecture.sources import PACKAGES, ROOT, listed, name, tree

LANGUAGES = ("fr",)
CALLS = {"gettext", "gettext_lazy", "gettext_noop", "_", "ngettext", "ngettext_lazy"}
CONTEXT_CALLS = {"pgettext", "pgettext_lazy", "npgettext"}


def catalogues(language):
    return sorted(ROOT.glob(f"**/locale/{language}/LC_MESSAGES/django.po"))


def own_catalogues(language):
    return [path for path in catalogues(language) if ".venv" not in path.parts]


@cache
def entries(language):
    return {
        (entry.msgctxt or "", entry.msgid): entry
        for path in own_catalogues(language)
        for entry in polib.pofile(str(path))
        if not entry.obsolete
    }


def needs_catalogue(language):
    if not own_catalogues(language):
        pytest.skip(f"there is no catalogue for {language!r} yet")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_the_catalogue(language):
    needs_catalogue(language)
    known = {text for _, text in entries(language)}
    missing = sorted(text for text in texts_of_code() | texts_of_templates() if text not in known)
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_translated_and_none_is_a_guess(language):
    needs_catalogue(language)
    unfinished = [
        entry.msgid for entry in entries(language).values() if entry.fuzzy or not translated(entry)
    ]
    assert unfinished == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_survive_translation(language):
    needs_catalogue(language)
    broken = []
    for entry in entries(language).values():
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            wanted = placeholders(entry.msgid) | placeholders(entry.msgid_plural or "")
            if not placeholders(text) <= wanted or (
                not entry.msgid_plural and placeholders(text) != wanted
            ):
                broken.append(entry.msgid)
    assert broken == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_fresh(language):
    needs_catalogue(language)
    for path in own_catalogues(language):
        assert path.with_suffix(".mo").exists(), f"compile {name(path)}"
        compiled = {
            (entry.msgctxt or "", entry.msgid): translations(entry)
            for entry in polib.mofile(str(path.with_suffix(".mo")))
        }
        source = {
            (entry.msgctxt or "", entry.msgid): translations(entry)
            for entry in polib.pofile(str(path))
            if not entry.obsolete
        }
        assert compiled == source, f"compile {name(path)} anew"


def test_no_translated_text_is_put_together_from_parts():
    wrong = []
    for path in python_files():
        for node in ast.walk(tree(path)):
            if is_gettext(node) and node.args and not isinstance(node.args[0], ast.Constant):
                wrong.append(f"{name(path)}:{node.lineno}")
    assert wrong == []


def test_placeholders_have_names():
    nameless = re.compile(r"(?<!%)%[sdf]|\{\}")
    assert sorted(text for text in texts_of_code() if nameless.search(text)) == []


def translated(entry):
    if entry.msgid_plural:
        return all(entry.msgstr_plural.values())
    return bool(entry.msgstr)


def translations(entry):
    return dict(entry.msgstr_plural) if entry.msgid_plural else entry.msgstr


def placeholders(text):
    return set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", text))


def python_files():
    return [
        path
        for path in listed()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
    ]


def is_gettext(node):
    if not isinstance(node, ast.Call):
        return False
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return called in CALLS


@cache
def texts_of_code():
    found = set()
    for path in python_files():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = 1 if called in CONTEXT_CALLS else 0
            plural = "ngettext" in called or "npgettext" in called
            if called in CALLS | CONTEXT_CALLS:
                arguments = node.args[first : first + (2 if plural else 1)]
                found |= {a.value for a in arguments if isinstance(a, ast.Constant)}
    return found - plurals()


@cache
def plurals():
    """Plural forms stand beside their singular in a catalogue, not as entries of their own."""
    found = set()
    for path in python_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if called in ("ngettext", "ngettext_lazy") and len(node.args) > 1:
                    second = node.args[1]
                    found |= {second.value} if isinstance(second, ast.Constant) else set()
    return found


@cache
def texts_of_templates():
    """What Django itself finds in the templates, through its own translation of them to code."""
    from django.utils.translation import templatize

    found = set()
    pattern = re.compile(r"""gettext\((u?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))""")
    for path in listed():
        if path.is_relative_to(ROOT / "templates") and path.suffix in (".html", ".txt"):
            code = templatize(path.read_text(), origin=str(path))
            found |= {eval_literal(match) for match in pattern.findall(code)}
    return found


def eval_literal(text):
    return ast.literal_eval(text.removeprefix("u"))
