"""The room of access: users, login, sessions, rights. All of it works while PostgreSQL is away.

What other rooms use:

- `instalar(app, settings)` once, in `academia.app`. From then on every address is closed to whoever is not
  logged in, but those of `academia.acesso.barreira.ABERTOS` and the API, and every POST of a session needs
  the CSRF token: `<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">`, or the header
  `X-CSRFToken`.
- `usuario_atual()`: the person who is logged in (`login`, `nome`, `papel`), or None.
- `@exige_login` and `@exige("ver")` for views; `autoriza(direito)` answers True, False or None (nobody).
- `guardar_formulario()`, `formulario_guardado()`, `esquecer_formulario()`: a typed form outlives an expired
  login (see `academia.acesso.formularios`). A page with a form calls `formulario_guardado()` to prefill it,
  and `esquecer_formulario()` once the form was accepted; the rest happens by itself.

In templates: `usuario`, `pode("ver")`, `csrf_token()`, and `academia.nome`, `academia.suporte`,
`academia.versao`. Pages extend `base.html` with the blocks `title`, `head` and `content`; the policy forbids
inline scripts and styles.
"""

from academia.acesso.direitos import DIREITOS, PAPEIS
from academia.acesso.formularios import esquecer_formulario, formulario_guardado, guardar_formulario
from academia.acesso.montagem import instalar
from academia.acesso.quem import autoriza, exige, exige_login, nome_para_o_registro, pode, usuario_atual
from academia.acesso.usuarios import Usuario

__all__ = [
    "DIREITOS",
    "PAPEIS",
    "Usuario",
    "autoriza",
    "esquecer_formulario",
    "exige",
    "exige_login",
    "formulario_guardado",
    "guardar_formulario",
    "instalar",
    "nome_para_o_registro",
    "pode",
    "usuario_atual",
]
