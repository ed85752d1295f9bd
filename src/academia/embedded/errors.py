"""The one error of this package."""


class EmbeddedError(RuntimeError):
    """The embedded server cannot be found, made, started or stopped. The text is one line for a person."""
