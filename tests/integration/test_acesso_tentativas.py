"""Guessing passwords is slowed, per account and per address; nobody is locked out for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from academia.acesso.senhas import SenhasOcupadas
from academia.acesso.tentativas import LIVRES_POR_CONTA, LIVRES_POR_ENDERECO, MuitasTentativas, Tentativas
from robusto import local
from tests.support.api import aplicacao
from tests.support.navegador import NINGUEM, SENHA, Navegador, acesso_de, criar, destino


class Relogio:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.agora = 1_800_000_000.0

    def __call__(self) -> float:
        return self.agora


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with aplicacao(tmp_path / "var", NINGUEM, migrada=False) as api:
        yield api.app


@pytest.fixture
def relogio(app: Flask) -> Relogio:
    sala, relogio = acesso_de(app), Relogio()
    sala.tentativas = Tentativas(sala.arquivo, sala.selo, relogio)
    return relogio


def test_after_five_wrong_passwords_an_account_has_to_wait_even_with_the_right_one(
    app: Flask, relogio: Relogio
) -> None:
    criar(app, "ana", "recepcao")
    pessoa = Navegador(app)
    assert [pessoa.entrar("ana", "errada").status_code for _ in range(LIVRES_POR_CONTA)] == [401] * 5
    espera = pessoa.entrar("Ana")
    assert (espera.status_code, espera.headers["Retry-After"]) == (429, "30")
    assert "Espere 30 segundos" in espera.text
    programa = pessoa.cliente.post(
        "/entrar", data={"login": "ana", "senha": SENHA, "csrf_token": pessoa.csrf}
    )
    assert programa.json is not None and programa.json["code"] == "muitas-tentativas"
    relogio.agora += 31
    assert destino(pessoa.entrar("ana")) == "/"
    assert Navegador(app).entrar("ana", "errada").status_code == 401


def test_an_unknown_login_waits_as_a_known_one_does(app: Flask, relogio: Relogio) -> None:
    criar(app, "ana", "recepcao")
    for login in ("ana", "ninguem"):
        respostas = [Navegador(app).entrar(login, "errada").status_code for _ in range(6)]
        assert respostas == [401] * 5 + [429]


def test_each_further_wrong_password_waits_twice_as_long_but_never_more_than_15_minutes(
    app: Flask, relogio: Relogio
) -> None:
    tentativas = acesso_de(app).tentativas
    esperas = []
    for _ in range(LIVRES_POR_CONTA + 8):
        try:
            tentativas.contar("ana", "203.0.113.1", None)
        except MuitasTentativas as erro:
            esperas.append(erro.segundos)
            relogio.agora += erro.segundos
            tentativas.contar("ana", "203.0.113.1", None)
    assert esperas == [30, 60, 120, 240, 480, 900, 900, 900]
    relogio.agora += 3601
    tentativas.contar("ana", "203.0.113.1", None)


def test_waiting_is_not_counted_so_that_nobody_is_locked_out_for_ever(app: Flask, relogio: Relogio) -> None:
    criar(app, "chefe", "administrador")
    for _ in range(LIVRES_POR_CONTA):
        Navegador(app).entrar("chefe", "errada")
    for _ in range(50):
        assert Navegador(app).entrar("chefe", "errada").status_code == 429
    relogio.agora += 31
    assert destino(Navegador(app).entrar("chefe")) == "/"


def test_a_stranger_who_guesses_does_not_keep_out_a_device_that_was_in_before(
    app: Flask, relogio: Relogio
) -> None:
    criar(app, "chefe", "administrador")
    balcao = Navegador(app)
    balcao.entrar("chefe")
    balcao.sair()
    for _ in range(LIVRES_POR_CONTA):
        Navegador(app).entrar("chefe", "errada")
    assert Navegador(app).entrar("chefe").status_code == 429
    assert destino(balcao.entrar("chefe")) == "/"
    balcao.sair()
    # It has a count of its own, and for no other account.
    for _ in range(LIVRES_POR_CONTA):
        balcao.entrar("chefe", "errada")
    assert balcao.entrar("chefe").status_code == 429


def test_an_address_has_a_higher_limit_and_the_right_password_is_possible_within_it(
    app: Flask, relogio: Relogio
) -> None:
    criar(app, "ana", "recepcao")
    de = "203.0.113.9"
    for n in range(LIVRES_POR_ENDERECO - 1):
        assert Navegador(app, endereco=de).entrar(f"login{n}", "errada").status_code == 401
    assert destino(Navegador(app, endereco=de).entrar("ana")) == "/"
    assert Navegador(app, endereco=de).entrar("login", "errada").status_code == 401
    assert Navegador(app, endereco=de).entrar("ana").status_code == 429
    assert destino(Navegador(app, endereco="203.0.113.10").entrar("ana")) == "/"


def test_forwarding_headers_do_not_make_another_address(app: Flask, relogio: Relogio) -> None:
    respostas = []
    for n in range(LIVRES_POR_ENDERECO + 1):
        pessoa = Navegador(app)
        pessoa.abrir("/entrar")
        respostas.append(
            pessoa.abrir(
                "/entrar",
                "POST",
                data={"login": f"login{n}", "senha": "x", "csrf_token": pessoa.csrf},
                headers={"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"},
            ).status_code
        )
    assert respostas == [401] * LIVRES_POR_ENDERECO + [429]


def test_a_network_of_ipv6_is_one_address(app: Flask, relogio: Relogio) -> None:
    tentativas = acesso_de(app).tentativas
    for n in range(LIVRES_POR_ENDERECO):
        tentativas.contar(f"login{n}", f"2001:db8::{n:x}", None)
    with pytest.raises(MuitasTentativas):
        tentativas.contar("outro", "2001:db8::ffff", None)
    tentativas.contar("outro", "2001:db8:0:1::1", None)


def test_a_hundred_guesses_at_once_are_a_hundred_guesses(app: Flask, relogio: Relogio) -> None:
    tentativas, feitas = acesso_de(app).tentativas, []

    def tentar() -> None:
        try:
            tentativas.contar("ana", "203.0.113.1", None)
            feitas.append(1)
        except MuitasTentativas:
            pass

    threads = [threading.Thread(target=tentar) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(feitas) == LIVRES_POR_CONTA


def test_a_clock_that_was_set_back_makes_nobody_wait_for_years(app: Flask, relogio: Relogio) -> None:
    tentativas = acesso_de(app).tentativas
    for _ in range(LIVRES_POR_CONTA):
        tentativas.contar("ana", "203.0.113.1", None)
    relogio.agora -= 3 * 365 * 24 * 3600
    tentativas.contar("ana", "203.0.113.1", None)
    with pytest.raises(MuitasTentativas) as erro:
        tentativas.contar("ana", "203.0.113.1", None)
    assert erro.value.segundos <= 60


def test_another_password_from_the_command_line_forgives_the_guesses(app: Flask, relogio: Relogio) -> None:
    criar(app, "ana", "recepcao")
    for _ in range(LIVRES_POR_CONTA + 1):
        Navegador(app).entrar("ana", "errada")
    app.test_cli_runner().invoke(
        args=["usuarios", "senha", "ana", "--senha-stdin"], input="uma outra frase\n"
    )
    assert destino(Navegador(app).entrar("ana", "uma outra frase")) == "/"


def test_neither_logins_nor_addresses_stand_in_the_counts(
    app: Flask, relogio: Relogio, tmp_path: Path
) -> None:
    Navegador(app, endereco="203.0.113.1").entrar("senha digitada no lugar errado", "x")
    Navegador(app, endereco="203.0.113.1").entrar("alguem", "x")
    guardado = b"".join(arquivo.read_bytes() for arquivo in (tmp_path / "var").glob("acesso.db*"))
    for texto in (b"203.0.113", b"alguem", b"senha digitada"):
        assert texto not in guardado
    db = local.connect(tmp_path / "var" / "acesso.db", flush=True)
    assert db.execute("SELECT count(*) FROM tentativas").fetchall() == [(3,)]
    db.close()


def test_a_flood_of_logins_leaves_threads_for_everybody_else(app: Flask) -> None:
    senhas, acabou = acesso_de(app).senhas, []
    largada = threading.Barrier(12)

    def conferir() -> None:
        largada.wait()
        try:
            senhas.confere("x", None)
            acabou.append("conferida")
        except SenhasOcupadas:
            acabou.append("ocupado")

    threads = [threading.Thread(target=conferir) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(acabou) == 12
    assert acabou.count("ocupado") >= 12 - 4 * 2
    assert acabou.count("conferida") >= 4
