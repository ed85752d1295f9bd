"""Under which names the app may be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from academia.acesso.hospedeiro import Hospedeiros
from academia.settings import Settings


def hospedeiros(var: Path, **ambiente: str) -> Hospedeiros:
    return Hospedeiros(Settings.load({"ACADEMIA_VAR": str(var), **ambiente}))


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000"]
)
def test_an_app_on_this_machine_answers_to_the_names_of_this_machine(tmp_path: Path, host: str) -> None:
    assert hospedeiros(tmp_path).confia(host)


@pytest.mark.parametrize(
    "host",
    ["", "outro.example", "127.0.0.1.outro.example", "localhost.outro.example", "[::1", "outro@localhost.x"],
)
def test_and_to_no_other(tmp_path: Path, host: str) -> None:
    assert not hospedeiros(tmp_path).confia(host)


def test_given_names_count_and_a_leading_dot_covers_what_is_below(tmp_path: Path) -> None:
    dados = hospedeiros(
        tmp_path, ROBUSTO_TRUSTED_HOSTS="Academia.example, .rede.example", ACADEMIA_BIND="0.0.0.0"
    )
    for host in ("academia.example", "academia.example:8000", "balcao.rede.example", "localhost"):
        assert dados.confia(host)
    for host in ("outro.example", "xacademia.example", "rede.example.outro"):
        assert not dados.confia(host)


def test_on_a_network_without_given_names_any_name_will_do(tmp_path: Path) -> None:
    assert hospedeiros(tmp_path, ACADEMIA_BIND="0.0.0.0").confia("balcao.local")
