"""The drill's proxy does to a connection exactly what it was told, and counts it."""

import contextlib
import socket
import time

import pytest

from academia.embedded.port import free_port
from drill.plan import DOOMED
from drill.processes import wait_until
from drill.proxy import Mode, Proxy
from drill.wire import SSL_REQUEST
from tests.support.drill_peers import COMMIT, STARTUP, WRITE, Client, Server, message, query


@pytest.fixture
def server():
    with contextlib.closing(Server()) as server:
        yield server


@pytest.fixture
def proxy(server):
    with Proxy(free_port(), server.port, seed=1) as proxy:
        yield proxy


@pytest.fixture
def connect(proxy):
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(Client(proxy.port))


def test_a_commit_passes_untouched(connect, proxy, server):
    client = connect()
    client.write()
    client.ask(COMMIT)
    assert server.seen == ["BEGIN", WRITE, COMMIT]
    assert (proxy.commits.seen, proxy.commits.uncertain) == (1, 0)


@pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
def test_a_commit_is_cut_before_it_arrives_or_after_it_is_done(connect, proxy, server, when, done):
    client = connect()
    client.write()
    proxy.cut_commits(**{when: 1.0})
    client.send(query(COMMIT))
    assert client.hears_nothing()
    assert (COMMIT in server.seen) is done
    counted = (proxy.commits.cut_before, proxy.commits.cut_after, proxy.commits.in_flight)
    assert counted == (int(not done), int(done), 0)


def test_many_commits_are_counted_one_by_one(connect, proxy):
    proxy.cut_commits(before=0.5, after=0.5)
    for _ in range(40):
        client = connect()
        client.write()
        client.send(query(COMMIT))
        assert client.hears_nothing()
    assert proxy.commits.uncertain == 40
    assert 5 < proxy.commits.cut_before < 35


def test_a_commit_that_rolled_back_is_told(connect, proxy, server):
    server.aborted = True
    client = connect()
    client.write()
    proxy.cut_commits(after=1.0)
    client.ask(COMMIT, aborted=True)
    assert proxy.commits.uncertain == 0


def test_a_commit_without_an_answer_when_the_connection_ends_is_counted(connect, proxy, server):
    client = connect()
    client.write()
    server.mute = True
    client.send(query(COMMIT))
    assert server.saw(COMMIT)
    proxy.set_mode(Mode.RESET)
    assert client.hears_nothing()
    assert proxy.commits.in_flight == 1


@pytest.mark.parametrize(
    ("mode", "newcomers_get"), [(Mode.REFUSE, ConnectionRefusedError), (Mode.RESET, ConnectionResetError)]
)
def test_connections_are_refused_or_reset_and_taken_again(connect, proxy, mode, newcomers_get):
    before = connect()
    proxy.set_mode(mode)
    with pytest.raises(ConnectionResetError):
        before.read(1)
    with pytest.raises(newcomers_get):
        connect()
    proxy.set_mode(Mode.FORWARD)
    connect().ask("BEGIN")


def test_nothing_leaves_a_black_hole_until_it_closes(connect, proxy, server):
    client = connect()
    proxy.set_mode(Mode.BLACK_HOLE)
    client.send(query("BEGIN"))
    client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.read(1)
    assert server.seen == []
    client.socket.settimeout(3)
    proxy.set_mode(Mode.FORWARD)
    assert client.read(11) == message(b"C", b"BEGIN\0")


def test_a_commit_said_into_a_black_hole_arrives_after_its_client_has_gone(connect, proxy, server):
    client = connect()
    client.write()
    proxy.set_mode(Mode.BLACK_HOLE)
    client.send(query(COMMIT))
    client.socket.close()
    time.sleep(0.1)
    assert COMMIT not in server.seen
    proxy.set_mode(Mode.FORWARD)
    assert server.saw(COMMIT)


def test_an_offer_to_encrypt_is_answered_by_one_byte(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=3) as bare:
        bare.sendall((8).to_bytes(4, "big") + SSL_REQUEST.to_bytes(4, "big"))
        assert bare.recv(1) == b"N"
        bare.sendall(STARTUP)
        assert bare.recv(1) == b"R"


def test_a_proxy_whose_server_is_gone_hangs_up(proxy, server):
    server.close()
    with pytest.raises(ConnectionError), Client(proxy.port):
        pass
    assert wait_until(lambda: proxy.connections() == 0, 3)


def test_one_byte_a_second_goes_through_until_the_line_is_well_again(connect, proxy, server):
    client = connect()
    proxy.set_mode(Mode.DRIP)
    client.send(query("BEGIN"))
    client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.read(1)
    assert server.seen == []
    client.socket.settimeout(3)
    proxy.set_mode(Mode.FORWARD)
    assert client.read(11) == message(b"C", b"BEGIN\0")


def test_on_a_slow_line_everything_arrives(connect, proxy, server):
    client = connect()
    proxy.set_mode(Mode.SLOW)
    client.write()
    client.ask(COMMIT)
    assert server.seen == ["BEGIN", WRITE, COMMIT]


@pytest.mark.parametrize(("when", "arrives"), [("before", False), ("after", True)])
def test_the_refusal_of_a_doomed_commit_is_swallowed_too(connect, proxy, server, when, arrives):
    server.aborted = True
    proxy.random.random = lambda: 0.4  # more than the share for others, less than that for the doomed
    proxy.cut_commits(**{when: 0.3})
    client = connect()
    client.ask("BEGIN")
    client.ask(f"{WRITE} -- {DOOMED}")
    client.send(query(COMMIT))
    assert client.hears_nothing()
    assert (COMMIT in server.seen) is arrives
    assert (proxy.commits.doomed, proxy.commits.uncertain) == (1, 1)


def test_doomed_commits_are_left_alone_where_none_are_cut(connect, proxy):
    client = connect()
    client.ask("BEGIN")
    client.ask(f"{WRITE} -- {DOOMED}")
    client.ask(COMMIT)
    assert proxy.commits.uncertain == 0
