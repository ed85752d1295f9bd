"""One record of the earlier system -> a student's columns.

Only a name is needed. What a column cannot take is said in words in `observacoes`, and the record as
it came is kept beside the student: nothing is lost, nothing invented.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from academia.alunos import valores
from academia.alunos.campos import COLUNAS, achatar
from academia.alunos.normalizar import normalizar
from academia.importacao.leitor import sem_perder
from robusto.write import canonical_json

#: What the earlier system added when it kept a record: no part of what a person had typed.
_ACRESCENTADOS = frozenset({"fallback_id", "fallback_timestamp", "status"})
_SEM_VALOR = frozenset({"", "a definir", "n/a", "none", "null", "nan", "nao informado"})
_SITUACOES = ("ativo", "inativo", "suspenso", "transferido")
_VARIOS_TELEFONES = re.compile(r"\s+OU\s+|[/;,|]", re.IGNORECASE)
_PROFUNDIDADE = 20
_MAXIMO_DA_CHAVE = 200

_LEITORES: Mapping[str, Callable[[str], str]] = {
    "cpf": valores.cpf,
    "responsavel_cpf": valores.cpf,
    "responsavel_telefone": valores.telefone,
    "email": valores.email,
    "cep": valores.cep,
    "uf": valores.uf,
    "data_nascimento": valores.nascimento,
}


class SemNome(ValueError):
    """A record without a name cannot become a student."""


@dataclass(frozen=True, slots=True)
class Registro:
    """A record that can be imported.

    `identificador` is its `id_unico` or `fallback_id`; `pessoal` says that it is the former, which stands
    for one person, and not the latter, which may be repeated. `bruto` is the record as it came, as far as
    JSON and PostgreSQL can hold it.
    """

    identificador: str | None
    pessoal: bool
    bruto: Mapping[str, Any]
    colunas: Mapping[str, Any]
    avisos: tuple[str, ...]

    @property
    def chave(self) -> str:
        """Names the write of an import: a record without an identifier is what it says."""
        return self.identificador or f"conteudo:{self.resumo}"

    @property
    def conteudo(self) -> dict[str, Any]:
        """What a person had typed: two records with the same are the same."""
        return conteudo(self.bruto)

    @property
    def resumo(self) -> str:
        """A digest of the content."""
        return hashlib.sha256(canonical_json(self.conteudo)).hexdigest()[:32]


def conteudo(bruto: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what the earlier system had added to it."""
    return {nome: valor for nome, valor in bruto.items() if nome not in _ACRESCENTADOS}


def interpretar(registro: Mapping[Any, Any]) -> Registro:
    """Raises SemNome, and ValueError for a record too large to be kept."""
    bruto = sem_perder((str(_limpo(nome)), _limpo(valor)) for nome, valor in registro.items())
    colunas, avisos = _colunas(bruto)
    if bruto != dict(registro):
        avisos.append("caracteres ou valores que não podem ser guardados foram trocados")
    identificador, pessoal = _identificador(bruto)
    return Registro(identificador, pessoal, bruto, colunas, tuple(avisos))


def _identificador(bruto: Mapping[str, Any]) -> tuple[str | None, bool]:
    for nome in ("id_unico", "fallback_id"):
        valor = _texto(bruto.get(nome)) or ""
        if valor.isprintable() and 1 <= len(valor) <= _MAXIMO_DA_CHAVE:
            return valor, nome == "id_unico"
    return None, False


def _colunas(bruto: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    campos = achatar(bruto) if isinstance(bruto.get("responsavel", {}), dict) else dict(bruto)
    colunas: dict[str, Any] = {}
    sobras: list[str] = []
    for coluna in COLUNAS:
        texto = _texto(campos.get(coluna))
        if texto is None or coluna in ("telefone", "celular", "situacao", "whatsapp", "observacoes"):
            continue
        try:
            colunas[coluna] = _LEITORES[coluna](texto) if coluna in _LEITORES else texto
        except ValueError:
            sobras.append(f"{coluna}: {texto}")
    if "nome" not in colunas:
        raise SemNome("o registro não tem nome")
    sobras += _telefones(campos, colunas)
    sobras += _situacao(campos, colunas)
    if isinstance(campos.get("whatsapp"), bool):
        colunas["whatsapp"] = campos["whatsapp"]
    observacoes = [texto for texto in (_texto(campos.get("observacoes")),) if texto]
    if textos := observacoes + [f"Do cadastro anterior, {sobra}" for sobra in sobras]:
        colunas["observacoes"] = "\n".join(textos)
    return colunas, [f"guardado nas observações: {sobra.split(':')[0]}" for sobra in sobras]


def _telefones(campos: Mapping[str, Any], colunas: dict[str, Any]) -> list[str]:
    """One field may hold two numbers; two numbers are two fields. Returns what is no number."""
    livres = ["telefone", "celular"]
    sobras = []
    for campo in ("telefone", "celular"):
        texto = _texto(campos.get(campo))
        for parte in _VARIOS_TELEFONES.split(texto) if texto else ():
            try:
                numero = valores.telefone(parte)
            except ValueError:
                if parte.strip():
                    sobras.append(f"{campo}: {parte.strip()}")
                continue
            if numero in colunas.values():
                continue
            if livres:
                colunas[campo if campo in livres else livres[0]] = numero
                livres.remove(campo if campo in livres else livres[0])
            else:
                sobras.append(f"{campo}: {parte.strip()}")
    return sobras


def _situacao(campos: Mapping[str, Any], colunas: dict[str, Any]) -> list[str]:
    texto = _texto(campos.get("situacao"))
    if texto is not None and normalizar(texto) in _SITUACOES:
        colunas["situacao"] = normalizar(texto)
        return []
    colunas["situacao"] = "inativo" if campos.get("ativo") is False else "ativo"
    return [] if texto is None else [f"situacao: {texto}"]


def _texto(valor: Any) -> str | None:
    """A value as text; None where the earlier system meant that there is none."""
    if valor is None or isinstance(valor, bool | dict):
        return None
    if isinstance(valor, list):
        valor = ", ".join(filter(None, map(_texto, valor)))
    texto = str(valor).strip()
    return None if normalizar(texto) in _SEM_VALOR else texto


def _limpo(valor: Any, profundidade: int = 0) -> Any:
    """The value as JSON and PostgreSQL can hold it."""
    match valor:
        case None | bool() | int():
            return valor
        case float():
            return valor if math.isfinite(valor) else str(valor)
        case str():
            sem_nulos = valor.replace("\x00", "\ufffd")
            return sem_nulos.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case date():
            return valor.isoformat()
        case Mapping() if profundidade < _PROFUNDIDADE:
            return sem_perder((_limpo(str(n)), _limpo(v, profundidade + 1)) for n, v in valor.items())
        case list() | tuple() if profundidade < _PROFUNDIDADE:
            return [_limpo(item, profundidade + 1) for item in valor]
        case _:
            return _limpo(str(valor))
