"""All screens, on one blueprint."""

from robusto.flask import activity, console, entry, health, lists
from robusto.flask.web import blueprint

__all__ = ["activity", "blueprint", "console", "entry", "health", "lists"]
