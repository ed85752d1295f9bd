"""How one value of a form is read: text as a person types it -> the text that is stored.

Every function raises ValueError with a sentence for the person. Free text is stored as it came.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

import phonenumbers
from validate_docbr import CPF

_BRASILIA = timezone(timedelta(hours=-3))
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_BRASILEIRA = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})", re.ASCII)
_TELEFONE = re.compile(r"[\d()+./ -]+", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_CPF = CPF()


def guardavel(texto: str) -> bool:
    """Whether JSON and PostgreSQL can hold a text: no NUL character, no half of a character."""
    return "\x00" not in texto and not any("\ud800" <= c <= "\udfff" for c in texto)


def linha(texto: str) -> str:
    """Text of one line: no control characters."""
    if any(unicodedata.category(c) == "Cc" for c in texto):
        raise ValueError("Não pode conter quebras de linha nem caracteres de controle.")
    return texto


def texto_livre(texto: str) -> str:
    """Text of several lines: no control characters but line breaks and tabs."""
    if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t" for c in texto):
        raise ValueError("Não pode conter caracteres de controle.")
    return texto


def nome(texto: str) -> str:
    """A name: one line that is not blank."""
    if not texto.strip():
        raise ValueError("Informe o nome.")
    return linha(texto)


def cpf(texto: str) -> str:
    """Eleven digits whose check digits fit; repeated digits are refused."""
    digitos = re.sub(r"[.\s/-]", "", texto)
    if not re.fullmatch(r"\d{11}", digitos, re.ASCII):
        raise ValueError("O CPF tem 11 dígitos.")
    if not _CPF.validate(digitos):
        raise ValueError("CPF inválido: confira os dígitos.")
    return digitos


def telefone(texto: str) -> str:
    """A telephone number in E.164, Brazilian unless it says otherwise."""
    mensagem = "Telefone inválido: informe o DDD e o número, um só por campo."
    if not _TELEFONE.fullmatch(texto.strip()):
        raise ValueError(mensagem)
    try:
        numero = phonenumbers.parse(texto, "BR")
    except phonenumbers.NumberParseException:
        raise ValueError(mensagem) from None
    if not phonenumbers.is_valid_number(numero):
        raise ValueError(mensagem)
    return phonenumbers.format_number(numero, phonenumbers.PhoneNumberFormat.E164)


def email(texto: str) -> str:
    """An address with one @ and a domain that has a dot."""
    endereco = linha(texto).strip()
    if not _EMAIL.fullmatch(endereco):
        raise ValueError("E-mail inválido.")
    return endereco


def cep(texto: str) -> str:
    """Eight digits."""
    digitos = re.sub(r"[.\s-]", "", texto)
    if not re.fullmatch(r"\d{8}", digitos, re.ASCII):
        raise ValueError("O CEP tem 8 dígitos.")
    return digitos


def uf(texto: str) -> str:
    """Two letters, in capitals."""
    sigla = texto.strip()
    if not re.fullmatch(r"[A-Za-z]{2}", sigla):
        raise ValueError("A UF tem duas letras.")
    return sigla.upper()


def nascimento(texto: str) -> str:
    """A date of birth, AAAA-MM-DD or dd/mm/aaaa -> AAAA-MM-DD. Two digits of a year mean the past."""
    dia = _data(texto.strip())
    if dia > hoje():
        raise ValueError("A data de nascimento não pode estar no futuro.")
    if dia.year < 1900:
        raise ValueError("Confira o ano de nascimento.")
    return dia.isoformat()


def hoje() -> date:
    """The date in Brasília."""
    return datetime.now(UTC).astimezone(_BRASILIA).date()


def _data(texto: str) -> date:
    try:
        if achado := _ISO.fullmatch(texto):
            return date(*map(int, achado.groups()))
        if achado := _BRASILEIRA.fullmatch(texto):
            dia, mes, ano = map(int, achado.groups())
            return date(ano, mes, dia) if len(achado[3]) == 4 else _no_passado(ano, mes, dia)
    except ValueError:
        raise ValueError("Esta data não existe.") from None
    raise ValueError("Escreva a data como dd/mm/aaaa ou AAAA-MM-DD.")


def _no_passado(ano: int, mes: int, dia: int) -> date:
    """3/11/26 is the latest such day that has been."""
    neste_seculo = date(2000 + ano, mes, dia)
    return neste_seculo if neste_seculo <= hoje() else date(1900 + ano, mes, dia)
