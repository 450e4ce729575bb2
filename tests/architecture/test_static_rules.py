from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import listed, modules, name, texts, tree

# A call counts when its dotted name is, or ends in, one of these.
BANNED_CALLS = {
    "mark_safe": "output is escaped by templates",
    "extra": "no SQL by hand",
    "objects.raw": "no SQL by hand",
    "RawSQL": "no SQL by hand",
    "os.system": "no shell",
    "os.popen": "no shell",
    "eval": "text is never code",
    "exec": "text is never code",
    "yaml.load": "use safe_load",
    "str.format_map": "format strings from data",
}
BANNED_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "telnetlib", "xml.etree"}
NEEDS_TIMEOUT = re.compile(
    r"^(httpx2\.(get|post|put|patch|delete|head|request|stream|Client|AsyncClient)|"
    r"(urllib\.request\.)?urlopen|socket\.create_connection|smtplib\.SMTP(_SSL)?|"
    r"subprocess\.(run|call|check_call|check_output))$"
)
# A supervisor waits for its children as long as they live.
NO_TIMEOUT_ALLOWED: set[str] = set()


def dotted(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def calls():
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                yield path, node, dotted(node.func)


def is_false(node):
    return isinstance(node, ast.Constant) and node.value is False


def place(path, node):
    return f"{name(path)}:{node.lineno}"


@pytest.mark.parametrize("banned", sorted(BANNED_CALLS))
def test_nobody_calls(banned):
    found = [
        place(path, node)
        for path, node, called in calls()
        if called == banned or called.endswith(f".{banned}")
    ]
    assert found == [], BANNED_CALLS[banned]


def test_nobody_imports_what_runs_foreign_data():
    found = []
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {node.module or ""}
            else:
                continue
            if names & BANNED_MODULES:
                found.append(place(path, node))
    assert found == []


def test_property_lists_are_read_as_xml_only():
    wrong = []
    for path, node, called in calls():
        if called in ("plistlib.loads", "plistlib.load"):
            formats = [dotted(k.value) for k in node.keywords if k.arg == "fmt"]
            if formats != ["plistlib.FMT_XML"]:
                wrong.append(place(path, node))
    assert wrong == []


def test_nothing_runs_in_a_shell():
    wrong = [
        place(path, node)
        for path, node, _ in calls()
        for keyword in node.keywords
        if keyword.arg == "shell" and not is_false(keyword.value)
    ]
    assert wrong == []


def test_certificates_are_always_checked():
    wrong = []
    for path, node, called in calls():
        for keyword in node.keywords:
            if keyword.arg in ("verify", "check_hostname") and is_false(keyword.value):
                wrong.append(place(path, node))
        if called.endswith("_create_unverified_context"):
            wrong.append(place(path, node))
    for path in modules():
        if re.search(r"CERT_NONE|check_hostname\s*=\s*False", path.read_text()):
            wrong.append(name(path))
    assert wrong == []


def test_every_call_to_the_network_has_a_timeout():
    wrong = [
        place(path, node)
        for path, node, called in calls()
        if NEEDS_TIMEOUT.match(called)
        and not any(keyword.arg in ("timeout", None) for keyword in node.keywords)
        and name(path) not in NO_TIMEOUT_ALLOWED
    ]
    assert wrong == []


def test_no_fault_is_swallowed_in_silence():
    wrong = []
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and all(
                isinstance(statement, ast.Pass) for statement in node.body
            ):
                caught = ast.unparse(node.type) if node.type else "everything"
                if caught in ("everything", "Exception", "BaseException"):
                    wrong.append(place(path, node))
    assert wrong == []


def test_the_clock_is_asked_in_one_place_only():
    """The simulator has a clock of its own; process supervision counts monotonic seconds."""
    clock = re.compile(r"datetime\.now\(|dt\.datetime\.now|timezone\.now\(|utcnow\(|date\.today\(")
    found = [
        name(path)
        for path in modules()
        if clock.search(path.read_text())
        and name(path) != "core/clock.py"
        and not name(path).startswith("simulator/")
    ]
    assert found == []


def test_settings_come_from_the_environment_in_one_place_only():
    allowed = {"mdm/environment.py", "mdm/settings.py", "mdm/launch.py", "mdm/wsgi.py"}
    reading = re.compile(r"os\.environ\.get\(|os\.getenv\(|os\.environ\[[^\]]+\](?!\s*=)")
    found = {
        name(path)
        for path in modules()
        if reading.search(path.read_text()) and not name(path).startswith("simulator/")
    }
    # The web process learns from the library's own variable that it shares its counters.
    assert found - allowed <= {"mdm/views/health.py"}


def test_no_private_key_is_committed():
    marks = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*\n?[A-Za-z0-9+/=]{40}")
    assert [name(path) for path, text in texts() if marks.search(text)] == []


def test_no_path_of_one_machine_or_registry_address_is_committed():
    marks = re.compile(
        r"--(?:extra-)?index-url|\"resolved\":\s*\"http|(?<![\w.])/(?:work|root|home/\w+)/", re.M
    )
    ours = {"tests/architecture/test_static_rules.py"}
    found = [name(path) for path, text in texts() if marks.search(text) and name(path) not in ours]
    assert found == []


def test_vendored_files_are_recorded_with_their_hashes():
    import hashlib

    from tests.architecture.sources import ROOT

    record = ROOT / "static" / "vendor" / "VENDORED.md"
    text = record.read_text()
    files = [path for path in record.parent.rglob("*") if path.is_file() and path != record]
    unknown = [
        str(path.relative_to(record.parent))
        for path in files
        if hashlib.sha256(path.read_bytes()).hexdigest() not in text
        and "LICENSE" not in path.name.upper()
    ]
    assert unknown == []


def test_nothing_unfinished_is_left_in_the_code():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|(?i:coming soon)")
    found = [
        name(path)
        for path in listed()
        if path.suffix in (".py", ".html", ".js", ".css", ".md", ".txt")
        and "architecture" not in path.parts
        and marks.search(path.read_text(errors="replace"))
    ]
    assert found == []


def is_literal(node):
    """Text that stands in the source, or was translated from what stands there."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.BinOp):
        return is_literal(node.left) and is_literal(node.right)
    return isinstance(node, ast.Call) and dotted(node.func) in ("_", "gettext", "ngettext")


# Statements that the framework compiled from a queryset, with their values apart.
COMPILED_SQL = {"apple/services/polls.py"}


def is_of_the_source(path, node, called):
    """Say whether what is formatted, or asked of the database, stands in the source."""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else called
    if method == "format" and isinstance(node.func, ast.Attribute):
        return is_literal(node.func.value)
    if method in ("format_html", "format_html_join", "format_lazy"):
        return is_literal(node.args[0])
    if method in ("execute", "executemany") and "cursor" in called:
        return name(path) in COMPILED_SQL or is_literal(node.args[0])
    return True


def test_no_text_from_elsewhere_is_a_format_a_page_or_a_query():
    """S-11, S-12, S-14: `str.format`, `format_html` and SQL take text of the source only."""
    wrong = [
        place(path, node)
        for path, node, called in calls()
        if not name(path).startswith("simulator/") and not is_of_the_source(path, node, called)
    ]
    assert wrong == []


def test_escaped_text_is_made_by_templates_alone():
    marks = re.compile(r"\b(?:SafeString|SafeText|SafeData|html_safe|mark_safe)\b")
    assert [name(path) for path in modules() if marks.search(path.read_text())] == []


# Who starts programs, and why.
STARTS_PROGRAMS = {
    "mdm/supervisor.py": "the web server, worker and beat of `serve`",
    "mdm/tether.py": "becomes the program that the supervisor starts",
}


def test_programs_are_started_in_one_place_only():
    marks = re.compile(r"^\s*(?:import|from) (?:subprocess|pty)\b|\bos\.(?:exec|spawn|fork)", re.M)
    found = {name(path) for path in modules() if marks.search(path.read_text())}
    assert found <= STARTS_PROGRAMS.keys()
