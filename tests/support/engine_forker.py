"""A process that forks again and again: `python -m tests.support.engine_forker DSN FOLDER BUSY_THREADS`."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from pathlib import Path

from robusto import Engine
from tests.support.engine_kit import engine_at, note

CHILDREN, WRITES = 6, 8


def send(engine: Engine, number: int) -> None:
    for each in range(number):
        receipt = engine.submit("note", note(f"{os.getpid()}.{each}"))
        os.write(1, f"{receipt.id}\n".encode())


def main(dsn: str, folder: str, busy_threads: str) -> int:
    warnings.simplefilter("ignore")
    engine = engine_at(dsn, Path(folder)).open()
    send(engine, 1)
    busy = threading.Event()

    def load() -> None:
        while not busy.is_set():
            send(engine, 1)

    threads = [threading.Thread(target=load) for _ in range(int(busy_threads))]
    for each in threads:
        each.start()
    children = []
    for _ in range(CHILDREN):
        send(engine, 2)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                send(engine, WRITES)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    codes = [os.waitpid(pid, 0)[1] for pid in children]
    busy.set()
    for each in threads:
        each.join()
    engine.close()
    return 0 if not any(codes) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
