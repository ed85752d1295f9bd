"""Files as the earlier system left them, with invented people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def registro(n: int, **mais: Any) -> dict[str, Any]:
    """One pending registration, as the web form and the fallback made it."""
    return {
        "nome": f"Pessoa Inventada {n:03}",
        "telefone": f"(11) 9{n:04}-{n:04}" if n % 7 else "A definir",
        "endereco": f"Rua Inventada, {n}",
        "email": f"pessoa{n}@exemplo.org",
        "data_nascimento": ("A definir", f"19{50 + n % 50}-03-02", f"02/03/19{50 + n % 50}")[n % 3],
        "data_cadastro": "2024-05-06",
        "titulo_eleitor": "",
        "atividade": "Hidroginástica",
        "turma": "A definir",
        "status_frequencia": "Novo cadastro",
        "observacoes": "",
        "fallback_timestamp": "2024-05-06T07:08:09.123456",
        "fallback_id": f"fallback_{1715000000 + n}_-{n}99",
        "status": "pending_database_save",
    } | mais


def registros(quantos: int) -> list[dict[str, Any]]:
    """So many different ones."""
    return [registro(n) for n in range(quantos)]


def gravar(pasta: Path, dados: Any, nome: str = "cadastros_fallback.json") -> Path:
    """Write the file as the earlier system did."""
    arquivo = pasta / nome
    arquivo.write_text(json.dumps(dados, ensure_ascii=False, indent=2), encoding="utf-8")
    return arquivo


def cortar_no_ultimo(arquivo: Path) -> None:
    """Cut the file off in the middle of its last record."""
    dados = arquivo.read_bytes()
    ultimo = dados.rindex(b'"nome"')
    arquivo.write_bytes(dados[: (ultimo + len(dados)) // 2])
