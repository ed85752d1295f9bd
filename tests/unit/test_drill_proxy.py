"""The drill's proxy does to a connection exactly what it was told, and counts it."""

import contextlib
import socket
import threading
import time

import pytest

from academia.embedded.port import free_port
from drill.processes import wait_until
from drill.proxy import Mode, Proxy
from drill.wire import SSL_REQUEST, ClientSplitter, Commit, Frame, ServerSplitter, Transactions, settles

STARTUP = (8 + 9).to_bytes(4, "big") + (196608).to_bytes(4, "big") + b"user\0me\0\0"
WRITE, COMMIT = "INSERT INTO robusto_ledger VALUES (1)", "COMMIT"


def message(kind, body):
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def answers_to(sql, aborted):
    tag = "ROLLBACK" if aborted and sql == COMMIT else sql.split()[0]
    return message(b"C", tag.encode() + b"\0") + message(b"Z", b"I" if sql == COMMIT else b"T")


class Server:
    """Speaks enough of PostgreSQL to be asked; remembers what reached it."""

    def __init__(self):
        self.seen = []
        self.aborted = False  # answer COMMIT with ROLLBACK
        self.mute = False  # take everything, answer nothing
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        splitter = ClientSplitter()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(4096):
                for frame in splitter.feed(data):
                    self._answer(connection, frame)

    def _answer(self, connection, frame):
        if frame.kind == b"Q":
            sql = frame.body.rstrip(b"\0").decode()
            self.seen.append(sql)
            if not self.mute:
                connection.sendall(answers_to(sql, self.aborted))
        elif frame.body == SSL_REQUEST.to_bytes(4, "big"):
            connection.sendall(b"N")
        else:
            connection.sendall(message(b"R", bytes(4)) + message(b"Z", b"I"))

    def saw(self, sql):
        """Whether it arrives within a while."""
        return wait_until(lambda: sql in self.seen, 3, step=0.01)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Client:
    """A client by hand, on a bare socket; entering it is logging in."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=3)
        self.send = self.socket.sendall

    def __enter__(self):
        try:
            self.send(STARTUP)
            assert self.read(15) == message(b"R", bytes(4)) + message(b"Z", b"I")
            return self
        except BaseException:
            self.socket.close()
            raise

    def __exit__(self, *_):
        self.socket.close()

    def read(self, size):
        data = b""
        while len(data) < size:
            if not (part := self.socket.recv(size - len(data))):
                raise ConnectionError("hung up")
            data += part
        return data

    def ask(self, sql, aborted=False):
        """Send it and take the whole answer."""
        self.send(query(sql))
        expected = answers_to(sql, aborted)
        assert self.read(len(expected)) == expected

    def write(self):
        """Do everything but the COMMIT."""
        self.ask("BEGIN")
        self.ask(WRITE)

    def hears_nothing(self):
        """Whether the connection ends without another byte."""
        with pytest.raises(ConnectionError):
            self.read(1)
        return True


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


def test_frames_do_not_depend_on_how_the_bytes_come():
    stream = STARTUP + query("BEGIN") + query(COMMIT)
    whole, dripping = ClientSplitter(), ClientSplitter()
    one_by_one = [frame for byte in stream for frame in dripping.feed(bytes([byte]))]
    assert one_by_one == whole.feed(stream)
    assert [frame.kind for frame in one_by_one] == [b"", b"Q", b"Q"]
    answers = message(b"C", b"BEGIN\0") + message(b"Z", b"T")
    backend = ServerSplitter(whole)
    assert [frame.kind for byte in answers for frame in backend.feed(bytes([byte]))] == [b"C", b"Z"]


def extended(sql, name=b""):
    """Parse, Bind and Execute, as frames."""
    parse = Frame(b"P", name + b"\0" + sql.encode() + b"\0\0\0", b"")
    bind = Frame(b"B", b"\0" + name + b"\0" + bytes(6), b"")
    return parse, bind, Frame(b"E", b"\0" + bytes(4), b"")


def test_a_commit_is_recognised_in_the_extended_protocol():
    transactions = Transactions()
    frames = [*extended("BEGIN"), *extended("UPDATE alunos SET nome = $1", b"s1"), *extended("commit;")]
    assert [transactions.sees(frame) for frame in frames] == [None] * 8 + [Commit.EXPLICIT]


def test_a_prepared_write_is_recognised_when_it_is_executed_again():
    transactions = Transactions()
    parse, bind, execute = extended(WRITE, b"s1")
    seen = [transactions.sees(frame) for frame in (parse, bind, execute, bind, execute)]
    assert seen == [None, None, Commit.IMPLICIT, None, Commit.IMPLICIT]


@pytest.mark.parametrize(
    ("said", "last"),
    [
        (["BEGIN; SET LOCAL lock_timeout = 9", WRITE, COMMIT], Commit.EXPLICIT),
        (["BEGIN", WRITE, "SAVEPOINT a", "ROLLBACK TO a", "END"], Commit.EXPLICIT),
        (["BEGIN", WRITE, "ROLLBACK WORK TO SAVEPOINT a", COMMIT], Commit.EXPLICIT),
        (["BEGIN", WRITE, "ROLLBACK", "BEGIN", COMMIT], None),
        (["BEGIN", WRITE], None),
        ([WRITE], Commit.IMPLICIT),
        (["BEGIN", "SELECT nome FROM alunos", COMMIT], None),
    ],
)
def test_what_commits_a_write_is_told_from_what_does_not(said, last):
    transactions = Transactions()
    assert [transactions.sees(Frame(b"Q", sql.encode(), b"")) for sql in said][-1] is last


def test_a_write_outside_a_transaction_is_settled_at_its_end():
    assert settles(Commit.IMPLICIT, Frame(b"C", b"INSERT 0 1\0", b"")) is None
    assert settles(Commit.IMPLICIT, Frame(b"Z", b"I", b"")) is True
    assert settles(Commit.IMPLICIT, Frame(b"E", b"", b"")) is False
