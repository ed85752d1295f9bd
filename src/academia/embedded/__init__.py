"""The embedded PostgreSQL server: found, made, started, adopted, stopped. Only its binaries are used."""

from academia.embedded.cluster import Cluster
from academia.embedded.errors import EmbeddedError
from academia.embedded.postmaster import Server

__all__ = ["Cluster", "EmbeddedError", "Server"]
