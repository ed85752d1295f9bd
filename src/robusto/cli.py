"""The `robusto` command: what stands alone, without any app."""

from __future__ import annotations

import argparse

from robusto import __version__


def main() -> None:
    """Entry point of `robusto`."""
    parser = argparse.ArgumentParser(
        prog="robusto",
        description="Writes to PostgreSQL that survive its outages.",
        epilog="Inside a Flask app the commands are under: flask --app APP robusto --help",
    )
    parser.add_argument("--version", action="version", version=f"robusto {__version__}")
    parser.parse_args()
    parser.print_help()
