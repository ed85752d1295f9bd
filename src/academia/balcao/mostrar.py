"""How values are shown to a person in Brazil. What does not have its form is shown as it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import phonenumbers

from robusto.flask import texts

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


def cpf(valor: str) -> str:
    """529.982.247-25."""
    if not re.fullmatch(r"\d{11}", valor, re.ASCII):
        return valor
    return f"{valor[:3]}.{valor[3:6]}.{valor[6:9]}-{valor[9:]}"


def telefone(valor: str) -> str:
    """(11) 98765-4321, and +351 … where it is no number of Brazil."""
    try:
        numero = phonenumbers.parse(valor, "BR")
    except phonenumbers.NumberParseException:
        return valor
    if not phonenumbers.is_valid_number(numero):
        return valor
    nacional = numero.country_code == 55
    forma = (
        phonenumbers.PhoneNumberFormat.NATIONAL if nacional else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(numero, forma)


def cep(valor: str) -> str:
    """01310-100."""
    return f"{valor[:5]}-{valor[5:]}" if re.fullmatch(r"\d{8}", valor, re.ASCII) else valor


def data(valor: str) -> str:
    """02/03/1990."""
    achada = _ISO.fullmatch(valor)
    return f"{achada[3]}/{achada[2]}/{achada[1]}" if achada else valor


def hora(momento: datetime) -> str:
    """10:42."""
    return texts.clock_time(momento)[:5]


def data_e_hora(quando: datetime) -> str:
    """23/11/2026 10:42, for paper."""
    return texts.moment(quando, datetime.min.replace(year=2000, tzinfo=UTC))[:-3]


def momento(quando: datetime) -> str:
    """10:42 of today, else with the date."""
    return texts.moment(quando, datetime.now(UTC))[:-3]


_FORMAS = {
    "cpf": cpf,
    "responsavel_cpf": cpf,
    "telefone": telefone,
    "celular": telefone,
    "responsavel_telefone": telefone,
    "cep": cep,
    "data_nascimento": data,
}


def valor(coluna: str, guardado: Any) -> str:
    """A stored value as the form shows it."""
    if guardado is None:
        return ""
    if coluna == "whatsapp":
        return "sim" if guardado else ""
    texto = str(guardado)
    return _FORMAS[coluna](texto) if coluna in _FORMAS else texto
