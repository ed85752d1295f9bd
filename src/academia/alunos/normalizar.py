"""The one normaliser of searching: what is stored to be found, and what is looked for.

PostgreSQL holds its result in `alunos.busca` (collation "C", so that the order is that of Python's
strings); the local copy and pending writes go through the same function. Neither needs `unaccent`.
"""

from __future__ import annotations

import re
import unicodedata

#: Civil and social name are kept apart inside `busca`; a normalised name never holds this.
SEPARADOR = "\n"
#: A btree entry holds 2,704 bytes; only a text made to break it is longer than this.
_MAXIMO_DE_BYTES = 2000
_APOSTROFOS = dict.fromkeys(map(ord, "'’‘`´ʼ"))
_NAO_DIGITOS = re.compile(r"[\s().+/-]")


def normalizar(texto: str) -> str:
    """Case, accents, apostrophes, hyphens and repeated spaces do not matter to a search."""
    sem_apostrofos = texto.translate(_APOSTROFOS)
    decomposto = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", sem_apostrofos).casefold())
    sem_acentos = "".join(c for c in decomposto if not unicodedata.combining(c))
    return " ".join(unicodedata.normalize("NFC", sem_acentos).replace("-", " ").split())


def texto_de_busca(nome: str, nome_social: str | None) -> str:
    """What `busca` holds for a student."""
    partes = [parte for parte in (normalizar(nome), normalizar(nome_social or "")) if parte]
    return SEPARADOR.join(partes).encode()[:_MAXIMO_DE_BYTES].decode(errors="ignore")


def so_digitos(texto: str) -> str:
    """The digits of a CPF or telephone number however it is written; empty if it is something else."""
    digitos = _NAO_DIGITOS.sub("", texto)
    return digitos if digitos.isascii() and digitos.isdigit() else ""
