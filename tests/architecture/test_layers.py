from __future__ import annotations

import ast
import subprocess
import sys

from tests.architecture.sources import ROOT, modules, name, tree


def test_rooms_and_layers_import_downward_only():
    ended = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]


def test_every_module_opens_with_its_purpose():
    without = [
        name(path)
        for path in modules()
        if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert without == []


def test_no_module_has_grown_beyond_reading():
    sizes = {name(path): path.read_text().count("\n") for path in modules()}
    large = {path: lines for path, lines in sizes.items() if lines > 400}
    assert large == {}


def test_no_function_or_class_has_grown_beyond_reading():
    limits = {ast.FunctionDef: 60, ast.AsyncFunctionDef: 60, ast.ClassDef: 220}
    large = [
        f"{name(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in modules()
        for node in ast.walk(tree(path))
        if node.__class__ in limits and node.end_lineno - node.lineno + 1 > limits[node.__class__]
    ]
    assert not large, "\n".join(large)
