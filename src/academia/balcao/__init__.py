"""The front desk: find, register, edit and show students, by keyboard, with PostgreSQL or without it.

`envio` is the life of a form; the screens are `inicio`, `cadastro`, `edicao`, `recibo`, `aluno`, and
`novidades` for what changes by itself. What people read is in `textos`.
"""

from academia.balcao import aluno, cadastro, edicao, inicio, novidades, recibo
from academia.balcao.planta import balcao

__all__ = ["aluno", "balcao", "cadastro", "edicao", "inicio", "novidades", "recibo"]
