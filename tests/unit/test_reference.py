"""The reference names every setting that the programs read, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(r"\b((?:ROBUSTO|ACADEMIA)_[A-Z_]+|DATABASE_URL|SECRET_KEY|PORT|WEB_CONCURRENCY)\b")


def test_every_setting_that_is_read_stands_in_the_table_with_unit_and_default() -> None:
    reference = (ROOT / "docs/reference.md").read_text()
    table = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \|", reference, re.M)
    sources = [
        ROOT / "src/academia/settings.py",
        ROOT / "src/academia/encryption_key.py",
        ROOT / "src/robusto/config.py",
        ROOT / "src/robusto/flask/extension.py",
    ]
    read = {name for source in sources for name in SETTING.findall(source.read_text())}
    assert {name for name, _, _ in table} == read
    assert all(default.strip() and unit.strip() for _, default, unit in table)


def test_every_module_of_the_engine_is_on_the_map() -> None:
    house = (ROOT / "ARCHITECTURE.md").read_text()
    for path in sorted((ROOT / "src/robusto").iterdir()):
        named = f"{path.name}/" if path.is_dir() else path.name
        if path.name.startswith("_") or path.suffix not in ("", ".py"):
            continue
        assert named in house, f"{named} is missing in ARCHITECTURE.md §5"
