from __future__ import annotations

import re

import pytest
from django.template import engines
from django.template.loader import get_template

from tests.architecture.sources import ROOT, name, templates

LONGEST = 120
LONG = 40


def pages():
    return [path for path in templates() if path.suffix in (".html", ".txt")]


@pytest.mark.parametrize("path", pages(), ids=name)
def test_every_template_parses(path):
    assert get_template(str(path.relative_to(ROOT / "templates")))


@pytest.mark.parametrize("path", pages(), ids=name)
def test_no_template_is_longer_than_a_screenful_or_two(path):
    assert path.read_text().count("\n") <= LONGEST


def test_long_templates_open_with_a_note_on_blocks_or_context():
    without = []
    for path in pages():
        text = path.read_text()
        opening = text[:800].lower()
        if text.count("\n") > LONG and not ("{% comment" in opening or "{#" in opening):
            without.append(name(path))
    assert without == []


def test_pages_have_no_inline_script_style_or_handler():
    inline = re.compile(
        r"<style\b|<script(?![^>]*\bsrc=)|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on", re.IGNORECASE
    )
    style = re.compile(r"<[^>]+\sstyle\s*=", re.IGNORECASE)
    found = []
    for path in pages():
        # Mail clients know no style sheets: there, and only there, style is written inline.
        patterns = [inline] if "emails" in path.parts else [inline, style]
        text = path.read_text()
        if "emails" in path.parts:
            text = re.sub(r"<style\b.*?</style>", "", text, flags=re.DOTALL)
        if any(pattern.search(text) for pattern in patterns):
            found.append(name(path))
    assert found == []


def test_no_template_switches_escaping_off():
    off = re.compile(r"\|\s*safe\b|\|\s*safeseq\b|autoescape\s+off")
    found = [name(p) for p in pages() if off.search(p.read_text()) and p.suffix == ".html"]
    assert found == []


def test_unknown_variables_in_a_template_are_never_evaluated_as_code():
    rendered = engines["django"].from_string("{{ text }}").render({"text": "{{ 7|add:7 }} ${7*7}"})
    assert rendered == "{{ 7|add:7 }} ${7*7}"
