"""Faults 48, 49, 54, 56 over a real socket: what no client library would send, at the real web server."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import PESSOA
from tests.support.hostile import TEXTS
from tests.support.postgres_server import PostgresServer
from tests.support.raw_http import Answer, RawHttp
from tests.support.running_app import RunningApp
from tests.support.running_supervisor import alive

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SECRET = b"Quiteria-Sigilosa"
BODY = json.dumps(PESSOA | {"nome": SECRET.decode()}).encode()
CHUNKED = b"Transfer-Encoding: chunked"
#: The other side may close without a word where what came is no HTTP.
REFUSED = {0, 400, 401, 403, 404, 405, 408, 411, 413, 414, 417, 422, 431, 501, 505}
_GIGABYTE = 1 << 30
#: The last but one line for people; what follows is the log.
_SERVING = "Servindo em http://127.0.0.1:{} (Ctrl-C encerra tudo)."


class Site:
    """The app, and a client with a token that writes every byte itself."""

    def __init__(self, app: RunningApp) -> None:
        self.app = app
        self.http = RawHttp(app.supervisor.port)
        self.token = app.flask("tokens", "criar", "--nome", "testes").strip().encode()

    def head(
        self, *lines: bytes, request: bytes = b"POST /api/alunos HTTP/1.1", host: bytes = b"localhost"
    ) -> bytes:
        ours = [b"Host: " + host, b"Authorization: Bearer " + self.token, b"Connection: close"]
        return b"\r\n".join([request, *ours, *lines, b"", b""])

    def post(self, *lines: bytes, body: bytes = b"", end: bool = False) -> Answer:
        return self.http.send(self.head(b"Content-Type: application/json", *lines), body, end=end)

    def get(self, target: bytes, *lines: bytes, host: bytes = b"localhost") -> Answer:
        return self.http.send(self.head(*lines, request=b"GET " + target + b" HTTP/1.1", host=host))

    def students(self) -> int:
        ((n,),) = self.app.rows("SELECT count(*) FROM alunos")
        return int(n)

    def memory(self) -> int:
        """Bytes that the web server's processes hold."""
        pids = self.app.supervisor.children(self.app.supervisor.gunicorn)
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in alive(pids))


@pytest.fixture(scope="module")
def site(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with postgres_server.new_database() as database:
        app = RunningApp(tmp_path_factory.mktemp("app") / "var", database)
        try:
            app.wait_until_ready()
            yield Site(app)
        finally:
            app.end()


def length(n: int | str) -> bytes:
    return f"Content-Length: {n}".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def bodies(site: Site) -> dict[str, Answer]:
    exact = length(len(BODY))
    zipped = gzip.compress(BODY)
    wide = BODY.decode().encode("utf-16")
    bomb = gzip.compress(b'{"nome": "' + b"a" * 50_000_000)
    return {
        "no length": site.post(body=BODY, end=True),
        "a length that is no number": site.post(length("abc"), body=BODY),
        "a negative length": site.post(length(-1), body=BODY),
        "a signed length": site.post(length(f"+{len(BODY)}"), body=BODY),
        "two lengths": site.post(exact, length(3), body=BODY),
        "a list of lengths": site.post(length(f"{len(BODY)}, {len(BODY)}"), body=BODY),
        "a length that is too short": site.post(length(len(BODY) - 5), body=BODY),
        "a length that is too long": site.post(length(len(BODY) + 5), body=BODY, end=True),
        "a length of 1 GB and nothing more": site.post(length(_GIGABYTE), body=b"{"),
        "a length beyond all numbers": site.post(length("9" * 400), body=b"{"),
        "length and chunks": site.post(exact, CHUNKED, body=chunk(BODY) + b"0\r\n\r\n"),
        "chunks that end in the middle": site.post(CHUNKED, body=b"ff\r\n" + BODY, end=True),
        "chunks without an end": site.post(CHUNKED, body=chunk(BODY), end=True),
        "chunks of no number": site.post(CHUNKED, body=b"zz\r\n" + BODY + b"\r\n0\r\n\r\n", end=True),
        "chunks of a negative number": site.post(CHUNKED, body=b"-5\r\n" + BODY + b"\r\n0\r\n\r\n", end=True),
        "a chunk of 16 exabytes": site.post(CHUNKED, body=b"f" * 16 + b"\r\n" + BODY, end=True),
        "an unknown encoding": site.post(b"Transfer-Encoding: xchunked", exact, body=BODY),
        "zipped chunks": site.post(b"Transfer-Encoding: gzip, chunked", body=chunk(zipped) + b"0\r\n\r\n"),
        "zipped": site.post(b"Content-Encoding: gzip", length(len(zipped)), body=zipped),
        "a bomb": site.post(b"Content-Encoding: gzip", length(len(bomb)), body=bomb),
        "another type": site.http.send(site.head(b"Content-Type: text/json", exact), BODY),
        "no type": site.http.send(site.head(exact), BODY),
        "two types": site.post(b"Content-Type: text/plain", exact, body=BODY),
        "another alphabet": site.http.send(
            site.head(b"Content-Type: application/json; charset=utf-16", length(len(wide))), wide
        ),
    }  # fmt: skip


def heads(site: Site) -> dict[str, Answer]:
    exact = length(len(BODY))

    def key(value: bytes) -> Answer:
        return site.post(b"Idempotency-Key: " + value, exact, body=BODY)

    return {
        "an empty key": key(b""),
        "a key with a control character": key(b"a\x01b"),
        "a key with a NUL": key(b"a\x00b"),
        "a key with a tab": key(b"a\tb"),
        "a key with a line break": key(b"a\r\n b"),
        "a key with a bare return": key(b"a\rb"),
        "a key in Latin-1": key(b"a\xe7\xe3o"),
        "a key of 201 characters": key(b"k" * 201),
        "a key of 5 kB": key(b"k" * 5_000),
        "a key of 10 kB": key(b"k" * 10_000),
        "two tokens": site.post(b"Authorization: Bearer nada", exact, body=BODY),
        "a header without a colon": site.post(b"nothing", exact, body=BODY),
        "a header with a blank": site.post(b"Idempotency Key: a", exact, body=BODY),
        "a thousand headers": site.post(*[b"X-%d: a" % n for n in range(1000)], exact, body=BODY),
        "a header of 100 kB": site.post(b"X-A: " + b"a" * 100_000, exact, body=BODY),
        "a forged host": site.get(b"/api/alunos", host=b"forged.example"),
        "a forged host for a page": site.get(b"/entrar", b"Accept: text/html", host=b"forged.example"),
        "two hosts": site.get(b"/api/alunos", b"Host: forged.example"),
        "a host with markup": site.get(b"/entrar", b"Accept: text/html", host=b'"><script>'),
        "a host with a user": site.get(b"/entrar", host=b"localhost@forged.example"),
    }


def targets(site: Site) -> dict[str, Answer]:
    paths = (
        b"/api/../api/alunos", b"/api/%2e%2e/livez", b"/api/alunos/%00", b"/api/alunos/%ff", b"/api//alunos",
        b"/api/alunos/..%2f..%2f", b"/api/alunos/%ed%a0%80", b"/api/gravacoes/%00", b"/api/alunos/",
        b"/api/gravacoes/" + b"A" * 3000, b"/static/../app.py", b"/static/%2e%2e/%2e%2e/app.py",
        b"/static/..%5c..%5capp.py", b"/static//etc/passwd", b"/sistema/static/..%2f..%2fengine.py",
        b"/api/alunos?limite=" + b"9" * 3000, b"/api/alunos?depois=%00%ff", b"/api/alunos?q=%00",
        b"/" + b"a" * 9000, b"/api/alunos/ HTTP/1.1 x", b"http://[::1", b"//forged.example/..",
    )  # fmt: skip
    found = {path[:60].decode(): site.get(path) for path in paths}
    requests = (
        b"DELETE /api/alunos HTTP/1.1", b"TRACE /api/alunos HTTP/1.1", b"FOO /api/alunos HTTP/1.1",
        b"get /api/alunos HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT forged.example:443 HTTP/1.1",
        b"PUT /api/alunos/1 HTTP/1.1", b"G\x00T / HTTP/1.1", b"GET /api/alunos HTTP/2.0",
        b"GET /api/alunos HTTP/9", b"GET /api/alunos", b"GET", b"\x16\x03\x01\x02\x00\x01", b"",
        b"A" * 100_000, b"GET /api/alunos?q=" + SECRET + b" de Souza HTTP/1.1",
        b"GET /api/alunos?q=" + SECRET, b"GET /api/alunos\x1b[2J HTTP/1.1", "GET /api/ção HTTP/1.1".encode(),
    )  # fmt: skip
    return found | {f"{line[:60]!r}": site.http.send(site.head(request=line), end=True) for line in requests}


def forms(site: Site) -> dict[str, Answer]:
    """As a browser sends them; what was cut off on its way must not be taken for all that was typed."""
    form = b"login=ana&senha=" + SECRET
    head = b"POST /entrar HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n%s\r\n\r\n"
    plain, parted = (
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Type: multipart/form-data; boundary=x",
    )
    cut = b'--x\r\nContent-Disposition: form-data; name="senha"\r\n\r\n' + SECRET
    parts = (cut + b"\r\n") * 1001
    return {
        "a form that was cut off": site.http.send(head % (plain, length(len(form) + 9)), form, end=True),
        "a form in parts that was cut off": site.http.send(head % (parted, length(900)), cut, end=True),
        "a form in parts without a boundary": site.http.send(head % (parted[:-11], length(len(cut))), cut),
        "a form of 1 GB": site.http.send(head % (plain, length(_GIGABYTE)), form),
        "a form with half of a byte": site.http.send(head % (plain, length(10)), b"login=%c3%"),
        "a thousand and one parts": site.http.send(head % (parted, length(len(parts))), parts),
    }


def test_what_no_client_would_send_is_refused_and_writes_nothing(site: Site) -> None:
    before = site.students()
    answers = bodies(site) | heads(site) | targets(site) | forms(site)
    assert {name: a.status for name, a in answers.items() if a.status not in REFUSED} == {}
    assert site.students() == before
    assert {name for name, a in answers.items() if "forged" in a.head or b"forged" in a.body} == set()
    for name, status, code in (
        ("a length of 1 GB and nothing more", 413, b"corpo-grande"),
        ("zipped", 400, b"json-invalido"),
        ("a bomb", 400, b"json-invalido"),
        ("a key of 5 kB", 422, b"chave-invalida"),
        ("two tokens", 401, b"nao-autenticado"),
    ):
        assert answers[name].status == status and code in answers[name].body, (name, answers[name])


def test_what_was_cut_off_on_its_way_is_not_taken_for_all_that_was_sent(site: Site) -> None:
    """gunicorn hands over what has arrived as if it were all: a form would end in half a word."""
    answers = forms(site)
    assert answers["a form that was cut off"].status == 400
    assert answers["a form in parts that was cut off"].status == 400
    whole = site.post(length(len(BODY) + 5), body=BODY, end=True)
    assert (whole.status, json.loads(whole.body)["code"]) == (400, "json-invalido")


def test_a_body_without_end_is_left_unread_and_costs_no_memory(site: Site) -> None:
    before = site.memory()
    answer, sent = site.http.pour(
        site.head(b"Content-Type: application/json", CHUNKED), chunk(b"a" * (1 << 20)), at_most=_GIGABYTE
    )
    assert answer.status in (0, 413)
    assert sent < _GIGABYTE / 4
    assert site.memory() - before < 100 << 20


def test_two_keys_are_one_key_and_come_back_as_that(site: Site) -> None:
    answer = site.post(b"Idempotency-Key: a", b"Idempotency-Key: b", length(len(BODY)), body=BODY)
    assert answer.status == 201
    assert "Idempotency-Key: a,b" in answer.head


def test_old_http_is_served_and_forwarding_headers_are_not_believed(site: Site) -> None:
    assert site.http.send(b"GET /livez HTTP/1.0\r\n\r\n").status == 200
    forged = [
        b"X-Forwarded-Host: forged.example",
        b"Forwarded: host=forged.example",
        b"X-Forwarded-For: 10.1.2.3",
    ]
    answer = site.get(b"/entrar?proximo=//forged.example", b"Accept: text/html", *forged)
    assert answer.status == 200
    assert "forged" not in answer.head
    assert b"forged" not in answer.body


def test_nothing_of_it_stands_in_the_log_and_one_event_is_one_line(site: Site) -> None:
    for text in TEXTS:
        body = json.dumps({**PESSOA, "nome": SECRET.decode() + text, "endereco": text}).encode()
        assert site.post(length(len(body)), body=body).status in (201, 422)
    for make in (bodies, heads, targets, forms):
        make(site)
    output = site.app.supervisor.output
    assert SECRET.decode() not in output
    assert "forged" not in output
    assert "Souza" not in output
    lines = output.splitlines()
    assert not [line for line in lines if not line.isprintable()]
    events = [
        json.loads(line) for line in lines[lines.index(_SERVING.format(site.app.supervisor.port)) + 2 :]
    ]
    assert {event["level"] for event in events} <= {"INFO", "WARNING"}
    assert "Invalid request from ip=127.0.0.1: Invalid HTTP request line" in {
        e.get("message") for e in events
    }
