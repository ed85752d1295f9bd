"""The part of a list that is asked for: `q`, `limite` and the opaque `depois`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from uuid import UUID

from academia.alunos.consulta import Consulta, Posicao
from academia.alunos.leitura import DadosInvalidos
from academia.alunos.queries import Pedido

MAXIMO = 200
PADRAO = 50
MAXIMO_DE_Q = 200


def ler_pedido(argumentos: Mapping[str, str]) -> Pedido:
    """Raises DadosInvalidos, with the messages at the parameters."""
    q = argumentos.get("q", "")
    if len(q) > MAXIMO_DE_Q or "\x00" in q:
        raise DadosInvalidos({"q": [f"No máximo {MAXIMO_DE_Q} caracteres, sem caracteres nulos."]})
    limite = argumentos.get("limite", str(PADRAO))
    if not (limite.isascii() and limite.isdigit() and len(limite) < 5 and 1 <= int(limite) <= MAXIMO):
        raise DadosInvalidos({"limite": [f"Um número de 1 a {MAXIMO}."]})
    depois = argumentos.get("depois", "")
    return Pedido(Consulta.de(q), int(limite), _ler_posicao(depois) if depois else None)


def escrever_posicao(posicao: Posicao) -> str:
    """What `proximo` holds, and `depois` brings back."""
    return base64.urlsafe_b64encode(json.dumps(posicao).encode()).decode().rstrip("=")


def _ler_posicao(texto: str) -> Posicao:
    try:
        completo = texto + "=" * (-len(texto) % 4)
        ordem, busca, id_aluno = json.loads(base64.b64decode(completo, b"-_", validate=True))
        if ordem in (0, 1) and isinstance(busca, str) and "\x00" not in busca and isinstance(id_aluno, str):
            busca.encode()
            return (int(ordem), busca, str(UUID(id_aluno)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    raise DadosInvalidos({"depois": ["Use o valor de proximo, como veio."]})
