"""Reads QR codes of our pages with zbar, which knows nothing of how we draw them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

SCALE = 6


def read(picture: Path) -> list[str]:
    """What zbar reads in a picture, as a camera would."""
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return answer.stdout.splitlines()


def rasterise(html: str, path: Path) -> Path:
    """Draw the SVG tile of a page, module by module, as a bitmap."""
    size = int(re.search(r'class="m-qr"><svg viewBox="0 0 (\d+) \1"', html)[1])
    drawn = re.search(r'class="m-qr"><svg.*?<path d="([^"]+)"', html, re.S)[1]
    dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn)}
    rows = []
    for y in range(size):
        row = " ".join("1" if (x, y) in dark else "0" for x in range(size) for _ in range(SCALE))
        rows += [row] * SCALE
    path.write_text(f"P1\n{size * SCALE} {size * SCALE}\n" + "\n".join(rows) + "\n")
    return path
