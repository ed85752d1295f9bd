"""Who is found by what: one table for the predicate on the local copy and for PostgreSQL."""

from __future__ import annotations

from typing import Any

#: key -> fields of a registration.
PESSOAS: dict[str, dict[str, Any]] = {
    "joao": {"nome": "João Conceição Açaí", "telefone": "(11) 98765-4321", "cpf": "529.982.247-25"},
    "davila": {"nome": "Ana-Clara D'Ávila", "celular": "(21) 91234-5678"},
    "social": {"nome": "Nome Civil Qualquer", "nome_social": "Márcia Flor", "email": "m@exemplo.org"},
    "guardiao": {"nome": "Menino Inventado", "responsavel": {"nome": "Mãe", "telefone": "(11) 3333-4444"}},
    "percento": {"nome": "100% Real_Nome \\ Barra", "email": "p@exemplo.org"},
    "strasse": {"nome": "Günther Straße", "email": "g@exemplo.org"},
    "zero": {"nome": "Zuleica Zero", "cpf": "012.345.678-90", "email": "z@exemplo.org"},
    "largo": {"nome": "Ｌａｒｇｏ Ｎｏｍｅ", "email": "l@exemplo.org"},
}

#: what is typed -> who is found.
CASOS: list[tuple[str, set[str]]] = [
    ("joao", {"joao"}),
    ("JOÃO", {"joao"}),
    ("acai conceicao", {"joao"}),
    ("conc aca", {"joao"}),
    ("joao inexistente", set()),
    ("529.982.247-25", {"joao"}),
    ("52998224725", {"joao"}),
    ("5299", {"joao"}),
    ("98765-4321", {"joao"}),
    ("(11) 98765-4321", {"joao"}),
    ("011 98765 4321", {"joao"}),
    ("+55 21 91234-5678", {"davila"}),
    ("d'avila", {"davila"}),
    ("davila", {"davila"}),
    ("D’Ávila", {"davila"}),
    ("ana clara", {"davila"}),
    ("ana-clara", {"davila"}),
    ("marcia", {"social"}),
    ("civil flor", {"social"}),
    ("3333-4444", {"guardiao"}),
    ("100%", {"percento"}),
    ("%", {"percento"}),
    ("real_nome", {"percento"}),
    ("_", {"percento"}),
    ("\\", {"percento"}),
    ("gunther strasse", {"strasse"}),
    ("01234567890", {"zero"}),
    ("largo nome", {"largo"}),
    ("11", set()),
    ("  ", set(PESSOAS)),
    ("", set(PESSOAS)),
]
