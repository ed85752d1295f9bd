"""Logging in and out, passwords, sessions; PostgreSQL is away all the time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from academia.acesso.primeiro import primeiro_administrador
from academia.acesso.selo import Selo
from academia.acesso.sessoes import MAXIMO_SEGUNDOS, OCIOSA_SEGUNDOS, Sessoes
from robusto import local
from tests.support.api import aplicacao
from tests.support.navegador import NINGUEM, SENHA, Navegador, acesso_de, criar, destino, escondido


@pytest.fixture
def var(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def app(var: Path) -> Iterator[Flask]:
    with aplicacao(var, NINGUEM, migrada=False) as api:
        yield api.app


def guardado(var: Path) -> bytes:
    """All bytes of the file and what belongs to it."""
    return b"".join(arquivo.read_bytes() for arquivo in var.glob("acesso.db*"))


def test_the_first_administrator_has_to_change_the_one_time_password_first(app: Flask, var: Path) -> None:
    senha = primeiro_administrador(acesso_de(app))
    assert senha is not None
    assert primeiro_administrador(acesso_de(app)) is None
    assert senha.encode() not in guardado(var)
    pessoa = Navegador(app)
    entrada = pessoa.entrar(" ADMIN ", senha, proximo="/usuarios")
    assert (destino(entrada), entrada.location) == ("/senha", "/senha?proximo=/usuarios")
    assert destino(pessoa.abrir("/")) == "/senha"
    pagina = pessoa.abrir(entrada.location)
    assert "senha_atual" not in pagina.text
    for curta in ("curta", "admin", senha, "x" * 201):
        assert pessoa.enviar("/senha", senha_nova=curta, senha_repetida=curta).status_code == 422
    assert pessoa.enviar("/senha", senha_nova=SENHA, senha_repetida="outra frase").status_code == 422
    antiga = pessoa.sessao
    trocada = pessoa.enviar("/senha", senha_nova=SENHA, senha_repetida=SENHA, proximo="/usuarios")
    assert destino(trocada) == "/usuarios"
    assert pessoa.sessao != antiga
    assert pessoa.abrir("/usuarios").status_code == 200
    assert Navegador(app).entrar("admin", senha).status_code == 401
    assert destino(Navegador(app).entrar("admin")) == "/"


def test_a_password_is_kept_as_a_digest_of_argon2_and_nothing_else(app: Flask, var: Path) -> None:
    criar(app, "ana", "recepcao")
    Navegador(app).entrar("ana", "uma senha errada")
    assert destino(Navegador(app).entrar("ana")) == "/"
    bytes_ = guardado(var)
    assert b"$argon2id$" in bytes_
    assert SENHA.encode() not in bytes_
    assert b"uma senha errada" not in bytes_


def test_the_form_lets_password_managers_and_paste_do_their_work(app: Flask) -> None:
    pagina = Navegador(app).abrir("/entrar").text
    assert 'autocomplete="username"' in pagina
    assert 'autocomplete="current-password"' in pagina
    assert "onpaste" not in pagina and "<script" not in pagina and "style=" not in pagina


def test_an_unknown_a_disabled_and_a_mistyped_login_get_the_same_answer(app: Flask) -> None:
    criar(app, "chefe", "administrador")
    criar(app, "ana", "recepcao")
    criar(app, "bia", "recepcao")
    acesso_de(app).usuarios.mudar_situacao("bia", ativo=False)
    textos = set()
    for login, senha in (("ana", "errada"), ("ninguem", SENHA), ("bia", SENHA), ("x" * 100, SENHA), ("", "")):
        pessoa = Navegador(app)
        resposta = pessoa.entrar(login, senha)
        assert resposta.status_code == 401
        assert SENHA not in resposta.text
        textos.add(
            resposta.text.replace(pessoa.csrf, "").replace(login or "\0", "").replace(" autofocus", "")
        )
    assert len(textos) == 1


def test_a_login_makes_a_new_id_so_that_a_planted_one_is_worth_nothing(app: Flask) -> None:
    criar(app, "ana", "recepcao")
    for plantado in ("A" * 43, "", Navegador(app, criar(app, "espiã", "recepcao")).sessao):
        pessoa = Navegador(app)
        pessoa.sessao = plantado
        pessoa.abrir("/entrar")
        if plantado:
            pessoa.cliente.set_cookie("academia_sessao", plantado)
        antes = pessoa.sessao
        pessoa.csrf = escondido(pessoa.abrir("/senha" if pessoa.esta_dentro() else "/entrar"), "csrf_token")
        assert destino(pessoa.enviar("/entrar", login="ana", senha=SENHA)) == "/"
        assert pessoa.sessao != antes
        assert pessoa.esta_dentro()
        assert "espiã" not in pessoa.abrir("/").text
        velha = Navegador(app)
        velha.sessao = antes
        assert not velha.esta_dentro()


def test_only_the_browser_has_the_id_of_a_session(app: Flask, var: Path) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    assert len(pessoa.sessao) == 43
    assert pessoa.sessao.encode() not in guardado(var)


def test_a_stolen_cookie_is_worth_nothing_after_the_logout(app: Flask) -> None:
    criar(app, "ana", "recepcao")
    pessoa, ladrao = Navegador(app), Navegador(app)
    pessoa.entrar("ana")
    ladrao.sessao = pessoa.sessao
    assert ladrao.esta_dentro()
    assert destino(pessoa.sair()) == "/entrar"
    assert "Você saiu" in pessoa.abrir("/entrar").text
    assert not ladrao.esta_dentro()
    assert not pessoa.esta_dentro()


def test_a_new_password_ends_every_other_session(app: Flask) -> None:
    ana = criar(app, "ana", "recepcao")
    aqui, ali = Navegador(app, ana), Navegador(app, ana)
    aqui.abrir("/senha")
    assert aqui.enviar("/senha", senha_atual="não é esta", senha_nova="outra frase longa").status_code == 422
    assert aqui.enviar("/senha", senha_atual=SENHA, senha_nova=SENHA).status_code == 422
    assert destino(aqui.enviar("/senha", senha_atual=SENHA, senha_nova="outra frase longa")) == "/"
    assert aqui.esta_dentro()
    assert not ali.esta_dentro()


def test_whoever_has_a_session_cannot_guess_its_password_without_end(app: Flask) -> None:
    ladrao = Navegador(app, criar(app, "ana", "recepcao"))
    ladrao.abrir("/senha")
    respostas = [
        ladrao.enviar("/senha", senha_atual=f"tentativa {n}", senha_nova="outra frase longa").status_code
        for n in range(7)
    ]
    assert respostas == [422] * 5 + [429] * 2


def test_the_cookie_is_for_this_app_alone(app: Flask) -> None:
    criar(app, "ana", "recepcao")
    for base, seguro in (("http://localhost", False), ("https://localhost", True)):
        pessoa = Navegador(app)
        pagina = pessoa.abrir("/entrar", base_url=base)
        resposta = pessoa.abrir(
            "/entrar", "POST", base_url=base, data={"login": "ana", "senha": SENHA, "csrf_token": pessoa.csrf}
        )
        for cookie in (*pagina.headers.getlist("Set-Cookie"), *resposta.headers.getlist("Set-Cookie")):
            assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Domain" not in cookie
            assert ("Secure" in cookie) is seguro
            assert "Path=/;" in cookie or "Path=/entrar;" in cookie
        assert ("Strict-Transport-Security" in resposta.headers) is seguro


@pytest.mark.parametrize(
    "alheio",
    ["https://outro.example/", "//outro.example", "/\\outro.example", "/\t/outro.example", "javascript:x",
     "\\\\x", "/%0d%0aX: y\n", "http:outro.example", "///outro.example", " /x", "/x\r\nSet-Cookie: a=b"],
)  # fmt: skip
def test_after_the_login_one_stays_in_this_app(app: Flask, alheio: str) -> None:
    ana = criar(app, "ana", "recepcao")
    assert Navegador(app).entrar("ana", proximo=alheio).location == "/"
    assert Navegador(app, ana).abrir("/entrar", query_string={"proximo": alheio}).location == "/"
    assert "outro.example" not in Navegador(app).abrir("/entrar", query_string={"proximo": alheio}).text


def test_after_the_login_comes_the_page_that_was_asked_for(app: Flask) -> None:
    criar(app, "chefe", "administrador")
    pessoa = Navegador(app)
    pedida = pessoa.abrir("/usuarios?a=1&b=ç")
    pagina = pessoa.abrir(pedida.location)
    proximo = escondido(pagina, "proximo")
    resposta = pessoa.enviar("/entrar", login="chefe", senha=SENHA, proximo=proximo.replace("&amp;", "&"))
    assert resposta.location == "/usuarios?a=1&b=%C3%A7"


def test_sessions_end_when_they_are_idle_and_at_the_latest_after_a_week(app: Flask) -> None:
    ana = criar(app, "ana", "recepcao")
    agora = [1_800_000_000.0]
    sala = acesso_de(app)
    sala.sessoes = Sessoes(sala.arquivo, sala.selo, lambda: agora[0])
    usada, parada = Navegador(app, ana), Navegador(app, ana)
    for _ in range(int(MAXIMO_SEGUNDOS // OCIOSA_SEGUNDOS)):
        agora[0] += OCIOSA_SEGUNDOS - 60
        assert usada.esta_dentro()
    assert not parada.esta_dentro()
    agora[0] += OCIOSA_SEGUNDOS - 60
    assert not usada.esta_dentro()


@pytest.mark.parametrize("salto", [-3600.0, 365 * 86400.0])
def test_a_clock_that_jumps_ends_sessions_and_never_prolongs_them(app: Flask, salto: float) -> None:
    ana = criar(app, "ana", "recepcao")
    agora = [1_800_000_000.0]
    sala = acesso_de(app)
    sala.sessoes = Sessoes(sala.arquivo, sala.selo, lambda: agora[0])
    pessoa = Navegador(app, ana)
    assert pessoa.esta_dentro()
    agora[0] += salto
    assert not pessoa.esta_dentro()


def test_a_changed_session_is_no_session(app: Flask) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    boa = pessoa.sessao
    for ruim in (boa[:-1], boa + "A", boa.swapcase(), "a.b.c", "é", "." * 3000, "eyJ1IjoxfQ.x.y"):
        pessoa.sessao = ruim
        assert destino(pessoa.abrir("/")) == "/entrar"


def test_sessions_sealed_with_another_secret_are_over(app: Flask) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    sessao = pessoa.sessao
    acesso_de(app).sessoes = Sessoes(acesso_de(app).arquivo, Selo("outro segredo"))
    depois = Navegador(app)
    depois.sessao = sessao
    assert not depois.esta_dentro()


def test_users_that_cannot_be_read_are_our_fault_and_say_so(app: Flask, var: Path) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    arquivo = var / "acesso.db"
    for parte in var.glob("acesso.db?*"):
        parte.unlink()
    arquivo.unlink()
    arquivo.write_bytes(b"x" * 8192)
    assert pessoa.abrir("/").status_code == 503
    assert Navegador(app).entrar("ana").status_code == 503
    resposta = pessoa.cliente.post("/usuarios")
    assert (resposta.status_code, resposta.json and resposta.json["code"]) == (503, "desconhecido")
    assert pessoa.abrir("/livez").status_code == 200


def test_nothing_personal_or_secret_is_in_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    criar(app, "ana.maria", "administrador")
    pessoa = Navegador(app, endereco="203.0.113.77")
    for _ in range(7):
        pessoa.entrar("ana.maria", "senha errada dela")
    pessoa = Navegador(app)
    acesso_de(app).tentativas.perdoar("ana.maria")
    pessoa.entrar("ana.maria")
    pessoa.abrir("/usuarios")
    nova = pessoa.enviar("/usuarios", login="bia", nome="Bia Inventada", papel="recepcao").text
    escrito = caplog.text + "".join(capfd.readouterr())
    senha = nova.partition('class="number">')[2].partition("<")[0]
    assert senha
    for segredo in (
        "ana.maria",
        "senha errada dela",
        SENHA,
        pessoa.sessao,
        pessoa.csrf,
        "203.0.113.77",
        "Bia",
        senha,
    ):
        assert segredo not in escrito


def test_the_sessions_data_lie_sealed(app: Flask, var: Path) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    pessoa.abrir("/senha")
    db = local.connect(var / "acesso.db", flush=True)
    ((dados,),) = db.execute("SELECT dados FROM sessoes").fetchall()
    db.close()
    assert isinstance(dados, bytes) and b"csrf" not in dados
