"""One client's connection through the proxy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from drill.wire import ClientSplitter, Commit, Frame, ServerSplitter, Transactions, settles

if TYPE_CHECKING:
    from drill.proxy import Proxy

_CHUNK = 65536
_CONNECT_SECONDS = 5


class Cut(Exception):
    """This connection ends here, on purpose."""


class Link:
    """Carries bytes both ways, watches the commits, and cuts where the proxy's chances say so."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self.hard = False  # end with a reset instead of a polite FIN
        self._proxy = proxy
        self._client = client
        self._server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._server.setblocking(False)
        for end in (self._client, self._server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._from_client = ClientSplitter()
        self._from_server = ServerSplitter(self._from_client)
        self._transactions = Transactions()
        self._awaited: Commit | None = None  # sent to the server, not answered yet
        self._swallow = False  # however it ends, the client must not hear of it
        self._withheld = bytearray()

    async def run(self, reset: bool) -> None:
        """Live until an end closes, the proxy cancels, or a cut is due."""
        pumps: list[asyncio.Task[None]] = []
        try:
            self.hard = reset
            if reset:
                return
            await self._proxy.open.wait()
            await asyncio.wait_for(self._connect(), _CONNECT_SECONDS)
            pumps = [asyncio.create_task(self._upward()), asyncio.create_task(self._downward())]
            # The answers' direction decides: a client that hung up leaves its last statement to the server.
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
            for pump in done:
                pump.result()
        except (Cut, OSError, ValueError, TimeoutError):
            pass
        finally:
            await self._end(pumps)

    async def _connect(self) -> None:
        await asyncio.get_running_loop().sock_connect(self._server, ("127.0.0.1", self._proxy.server_port))

    async def _end(self, pumps: list[asyncio.Task[None]]) -> None:
        for pump in pumps:
            pump.cancel()
        if pumps:
            await asyncio.wait(pumps)
        if self._awaited is not None:
            self._proxy.count(in_flight=1)
        self.close()

    def close(self) -> None:
        """Close both ends; also where `run` never came to its first line."""
        for end in (self._client, self._server):
            if self.hard and end.fileno() >= 0:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()

    async def _upward(self) -> None:
        while data := await self._read(self._client):
            for frame in self._from_client.feed(data):
                self._watch(frame)
                await self._pass_on(self._server, frame.raw)
        # Hand on what was said before the hang-up, then the hang-up.
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_WR)

    async def _downward(self) -> None:
        while data := await self._read(self._server):
            for frame in self._from_server.feed(data):
                self._settle(frame)
                self._withheld += frame.raw
            if self._withheld and not self._swallow:
                ready, self._withheld = bytes(self._withheld), bytearray()
                await self._pass_on(self._client, ready)
        raise Cut  # the server hung up: nothing more can come, in either direction

    async def _read(self, end: socket.socket) -> bytes:
        await self._proxy.open.wait()
        data = await asyncio.get_running_loop().sock_recv(end, _CHUNK)
        await self._proxy.open.wait()  # what came in as the hole opened stays in it
        return data

    async def _pass_on(self, end: socket.socket, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        while data and (pace := self._proxy.pace) is not None:
            size, seconds = pace
            await self._proxy.wait_for_change(seconds)
            await loop.sock_sendall(end, data[:size])
            data = data[size:]
        await loop.sock_sendall(end, data)

    def _watch(self, frame: Frame) -> None:
        commit = self._transactions.sees(frame)
        if commit is None:
            return
        self._proxy.count(seen=1)
        before, after = self._proxy.chances(doomed=self._transactions.doomed)
        chance = self._proxy.random.random()
        if chance < before:
            self._proxy.count(cut_before=1, doomed=self._transactions.doomed)
            self._cut()
        self._awaited = commit
        self._swallow = chance < before + after

    def _settle(self, frame: Frame) -> None:
        if self._awaited is None:
            return
        committed = settles(self._awaited, frame)
        if committed is None:
            return
        self._awaited = None
        if self._swallow and (committed or self._transactions.doomed):
            self._proxy.count(cut_after=1, doomed=self._transactions.doomed)
            self._cut()
        self._swallow = False

    def _cut(self) -> None:
        self.hard = self._proxy.random.random() < 0.5
        raise Cut
