"""Passwords: what is refused, what is the same, how long an unknown login takes."""

from __future__ import annotations

from academia.acesso import senhas
from academia.acesso.senhas import Senhas, nova_de_uso_unico, o_que_falta


def test_the_digest_for_nobody_costs_as_much_as_a_new_one() -> None:
    argon2 = senhas.argon2()
    assert argon2.identify(senhas._DE_NINGUEM)
    assert not argon2.check_needs_rehash(senhas._DE_NINGUEM)


def test_an_accent_is_the_same_from_every_keyboard() -> None:
    uma = Senhas()
    assert uma.confere("a" + "̃" + "o caminho", uma.resumir("ão caminho")) == (True, None)


def test_without_a_digest_no_password_is_right() -> None:
    assert Senhas().confere("", None) == (False, None)


def test_an_endless_password_is_wrong() -> None:
    uma = Senhas()
    assert uma.confere("x" * 1_000_000, uma.resumir("x" * senhas.MAXIMO)) == (False, None)


def test_a_password_has_ten_characters_and_is_not_the_login() -> None:
    assert o_que_falta("x" * 9, "ana")
    assert o_que_falta("x" * 201, "ana")
    assert o_que_falta("Ana.Maria.1", "ana.maria.1")
    assert o_que_falta("x" * 10, "ana") is None


def test_one_time_passwords_are_readable_and_never_the_same() -> None:
    feitas = {nova_de_uso_unico() for _ in range(1000)}
    assert len(feitas) == 1000
    assert all(o_que_falta(senha, "admin") is None for senha in feitas)
    assert not set("".join(feitas)) & set("0o1li")
