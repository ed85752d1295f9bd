"""The extension: health, status, the manual drain and the command line, for anybody's Flask app."""

from robusto.flask.extension import Robusto

__all__ = ["Robusto"]
