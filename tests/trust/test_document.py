"""The table of what the server withstands names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests import lanes

DOCUMENT = lanes.ROOT / "docs" / "trust.md"
CASES = (
    "1 3 4 5 6 7 8 9 11 12 13 14 16 19 20 21 25 26 28 29 30 31 33 34 35 37 38 39 41 42 44 45 46 49 "
    "50 51 53 54 55 57 58 59 60 62 64 65 66 68 69 71 72 73 74 77 80 81 84 85 86 88 117 129"
)
FAULTS = "01 22 23 24 26"


@cache
def functions(path: str) -> set[str]:
    tree = ast.parse((lanes.ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_exists():
    named = re.findall(r"`(tests/\S+?\.py)::(\w+)`", DOCUMENT.read_text())
    assert len(named) > 100
    gone = [f"{path}::{name}" for path, name in named if name not in functions(path)]
    assert gone == []


def test_every_case_has_a_row_with_what_happens_and_a_proof():
    rows = {}
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith(("| S-", "| F-")):
            number, case, does, proof = (cell.strip() for cell in line.strip("| ").split(" | "))
            rows[number] = (case, does, proof)
    named = {f"S-{int(number):02}" for number in CASES.split()}
    assert set(rows) == named | {f"F-{number}" for number in FAULTS.split()}
    assert all(case and does and "::" in proof for case, does, proof in rows.values())
