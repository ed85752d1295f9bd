"""Brazilian Portuguese: reasons (what happened, what to do) and the names of events."""

from __future__ import annotations

_SUPPORT = "Chame o suporte e informe o código."
_WAIT = "Nada a fazer: o sistema tenta de novo sozinho."
_DATA = "Confira os dados com quem registrou. Resolva a causa e reenvie, ou descarte."
_GRANTS = "Chame quem administra o banco de dados."

#: Codes first, then the part before a colon, then SQLSTATE classes: (what happened, what to do).
REASONS: dict[str, tuple[str, str]] = {
    "": ("Sem motivo anotado", _WAIT),
    "unavailable": ("O banco de dados estava fora do ar", _WAIT),
    "behind": ("Aguarda um registro anterior", "Resolva o registro anterior; este segue depois."),
    "busy": ("Outro registro com a mesma chave estava em andamento", _WAIT),
    "deadline": ("O banco de dados não respondeu a tempo", _WAIT),
    "cannot_connect": (
        "Não há conexão com o banco de dados",
        "Verifique a rede e o servidor do banco de dados.",
    ),
    "connection_lost": ("A conexão com o banco de dados caiu", _WAIT),
    "pool_exhausted": ("Todas as conexões estavam ocupadas", _WAIT),
    "read_only": ("O banco de dados só aceita leitura", "Verifique se o servidor principal está no ar."),
    "not_flushed": ("O banco de dados não garante em disco o que grava (`fsync` desligado)", _GRANTS),
    "conflict": ("Alguém mudou estes dados antes", "Compare com o que está gravado e decida qual vale."),
    "no_effect": ("O registro a mudar não existe mais", "Verifique se foi apagado; se for o caso, descarte."),
    "key_reused": (
        "A mesma chave já foi usada com outros dados",
        "Compare com o registro já gravado; descarte um.",
    ),
    "unreadable": ("O conteúdo não pode ser aberto", "Recupere a chave de cifra. Não descarte antes disso."),
    "unknown_kind": ("Esta versão do sistema não conhece este tipo de registro", _SUPPORT),
    "swallowed_error": ("O sistema escondeu um erro do banco de dados", _SUPPORT),
    "storm": (
        "Muitos registros seguidos foram recusados pelo mesmo motivo",
        "Veja o motivo na quarentena e resolva a causa; depois use Processar Pendentes.",
    ),
    "fenced": ("Um registro mais novo, ou uma decisão, já ocupa este lugar", _SUPPORT),
    "handler": ("Falha do sistema ao gravar este tipo de registro", _SUPPORT),
    "client": ("Os dados não puderam ser enviados ao banco de dados", _DATA),
    "23502": ("Falta um dado obrigatório", _DATA),
    "23503": (
        "Depende de outro registro que não existe",
        "Verifique se o registro de que depende foi gravado.",
    ),
    "23505": (
        "Já existe um registro com o mesmo dado único",
        "Procure o registro que já existe; descarte um dos dois.",
    ),
    "23514": ("Um valor não é permitido", _DATA),
    "23P01": ("Choca com outro registro no mesmo lugar ou horário", _DATA),
    "22001": ("Um texto é longo demais", _DATA),
    "40001": ("Outra gravação mexia nos mesmos dados", _WAIT),
    "40P01": ("Outra gravação mexia nos mesmos dados", _WAIT),
    "55P03": ("Outra gravação prende estes dados", _WAIT),
    "57014": ("A gravação demorou demais", _WAIT),
    "42501": ("Falta permissão no banco de dados", _GRANTS),
    "42P01": ("Falta uma tabela no banco de dados", _GRANTS),
    "42703": ("Falta uma coluna no banco de dados", _GRANTS),
    "3D000": ("O banco de dados não existe", _GRANTS),
    "28P01": ("Usuário ou senha do banco de dados recusados", _GRANTS),
    "53100": ("O disco do banco de dados está cheio", _GRANTS),
    "53300": ("O banco de dados atingiu o limite de conexões", _WAIT),
    "08": ("A conexão com o banco de dados falhou", _WAIT),
    "0A": ("O banco de dados não faz o que foi pedido", _SUPPORT),
    "0L": ("Falta permissão no banco de dados", _GRANTS),
    "0P": ("Falta permissão no banco de dados", _GRANTS),
    "21": ("O comando e os dados não combinam", _SUPPORT),
    "22": ("Um valor não serve para o campo", _DATA),
    "23": ("O registro fere uma regra do banco de dados", _DATA),
    "25": ("O banco de dados não aceitou a transação", _WAIT),
    "26": ("A conexão com o banco de dados precisou ser refeita", _WAIT),
    "28": ("O banco de dados recusou o usuário do sistema", _GRANTS),
    "3D": ("O banco de dados não existe", _GRANTS),
    "3F": ("Falta um esquema no banco de dados", _GRANTS),
    "40": ("A gravação foi desfeita pelo banco de dados", _WAIT),
    "42": ("O comando não serve para este banco de dados", _SUPPORT),
    "44": ("O registro fere uma regra do banco de dados", _DATA),
    "53": ("Faltam recursos ao banco de dados", _GRANTS),
    "54": ("O registro ultrapassa um limite do banco de dados", _SUPPORT),
    "55": ("O banco de dados não estava pronto para isto", _WAIT),
    "57": ("O banco de dados está sendo parado ou reiniciado", _WAIT),
    "58": ("Falha do servidor do banco de dados", _GRANTS),
    "F0": ("A configuração do banco de dados está com erro", _GRANTS),
    "P0": ("Uma regra do banco de dados recusou o registro", _DATA),
    "XX": ("Falha interna do banco de dados", _GRANTS),
}
UNKNOWN_REASON = ("O registro foi recusado", _SUPPORT)

EVENTS: dict[str, str] = {
    "write_stored": "Gravado diretamente",
    "write_pending": "Guardado neste sistema",
    "write_applied": "Enviado e gravado",
    "write_held": "Separado",
    "write_quarantined": "Posto em quarentena",
    "write_rejected": "Recusado a quem registrava",
    "write_not_accepted": "NÃO foi aceito",
    "write_requeued": "Reenviado por uma pessoa",
    "write_discarded": "Descartado por uma pessoa",
    "write_revealed": "Dados vistos por uma pessoa",
    "breaker_opened": "Banco de dados fora do ar",
    "breaker_moved": "Conexão mudou",
    "journal_failed": "A fila local falhou",
    "journal_recovered": "A fila local voltou",
    "journal_renewed": "A fila local foi refeita",
    "copy_failed": "A cópia de segurança de um registro falhou",
    "chore_failed": "Uma tarefa de manutenção falhou",
    "refresh_failed": "A cópia local de leitura não foi atualizada",
    "worker_failed": "O envio automático falhou e recomeçou",
}

#: Names of the facts of an event; a fact without a name is not shown.
FACTS: dict[str, str] = {
    "kind": "tipo",
    "reason": "motivo",
    "seq": "número na fila",
    "constraint": "regra",
    "who": "quem",
    "state": "estado",
    "problem": "problema",
    "error": "erro",
    "replica": "cópia",
    "unknown": "resultado desconhecido",
}
