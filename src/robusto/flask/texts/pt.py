"""Brazilian Portuguese: every word of the console. Another language is another module like this."""

from __future__ import annotations

from robusto.flask.texts.pt_verdicts import VERDICTS

#: What is shown for a figure that cannot be read: unknown is not zero.
UNKNOWN = "não se sabe"

WORDS: dict[str, str] = {
    **VERDICTS,
    # -- the frame
    "lang": "pt-BR",
    "site.name": "Sistema",
    "skip": "Ir para o conteúdo",
    "nav.label": "Console do sistema",
    "nav.status": "Situação",
    "nav.pending": "Pendentes",
    "nav.quarantine": "Quarentena",
    "nav.activity": "Atividade",
    # -- answers to who may not, and to what is not there
    "unauthenticated": "Entre no sistema ou envie um token válido.",
    "forbidden": "Você não tem permissão para isto.",
    "message.401.title": "Entre no sistema",
    "message.401.text": "Para ver esta página é preciso entrar no sistema com uma conta que tenha permissão.",
    "message.403.title": "Sem permissão",
    "message.403.text": "Sua conta não tem permissão para isto. Fale com o administrador.",
    "message.404.title": "Registro não encontrado",
    "message.404.text": (
        "Não há registro com este número na fila deste sistema. Registros gravados há mais de 72 horas "
        "já não aparecem aqui: procure no cadastro."
    ),
    "message.409.title": "Outra decisão já foi tomada",
    "message.409.text": "Este registro já não está em quarentena: nada foi mudado agora. Veja como ele está.",
    "message.422.title": "Não é possível reenviar",
    "message.422.text": (
        "O conteúdo deste registro não pode ser aberto: a chave que o cifrou não está aqui, ou o arquivo foi "
        "danificado. Nada foi mudado."
    ),
    "message.503.title": "A fila local não pode ser lida",
    "message.503.text": (
        "Não se sabe o que está pendente, e nada foi mudado. Chame o administrador: o "
        "disco pode estar cheio, "
        "ou a pasta da fila pode ter sido movida."
    ),
    "message.back": "Voltar à situação do sistema",
    "message.show": "Ver o registro",
    # -- the conservation line
    "books.title": "A conta dos registros",
    "books.accepted": "Aceitos",
    "books.stored": "Gravados",
    "books.pending": "Pendentes",
    "books.quarantined": "Quarentena",
    "books.discarded": "Descartados",
    "books.holds": "A conta fecha: {accepted} = {stored} + {pending} + {quarantined} + {discarded}.",
    "books.broken": "A conta NÃO fecha: {accepted} ≠ {stored} + {pending} + {quarantined} + {discarded}.",
    "books.unknown": "A conta não pode ser conferida agora: há um valor que não se sabe.",
    "books.as_of": "Gravações diretas como em {when}; o valor é atualizado quando o banco de dados responde.",
    # -- what waits, told apart
    "queues.title": "O que está esperando",
    "queue.waiting": "Esperando o banco",
    "queue.waiting.why": "Seguem sozinhos, em ordem, assim que o banco de dados os receber.",
    "queue.parked": "Esperando a vez",
    "queue.parked.why": (
        "Vêm depois de um registro separado ou em quarentena; seguem quando ele for resolvido."
    ),
    "queue.held": "Separados",
    "queue.held.why": "Não puderam ser gravados agora; o sistema tenta de novo sozinho.",
    "queue.quarantined": "Em quarentena",
    "queue.quarantined.why": "O banco de dados recusou; uma pessoa precisa decidir.",
    "queue.oldest": "O mais antigo espera há {ago}.",
    "queue.none": "Nada pendente.",
    "queue.more_than": "mais de {number}",
    "queue.at_most": "até {number}",
    "queue.see": "Ver",
    "queue.see_which": "Ver: {which}",
    # -- the connection
    "connection.title": "Banco de dados",
    "connection.state": "Conexão",
    "connection.yes": "Respondendo",
    "connection.no": "Fora do ar",
    "connection.breaker": "Disjuntor",
    "breaker.closed": "fechado: os registros vão direto ao banco de dados",
    "breaker.open": "aberto: os registros são guardados aqui, sem esperar pelo banco de dados",
    "breaker.half_open": "meio aberto: o banco de dados responde; os pendentes seguem primeiro",
    "connection.checked": "Última verificação",
    "connection.read_at": "Página de",
    # -- the manual drain
    "process.button": "Processar Pendentes",
    "process.hint": "O envio é automático; o botão apenas não espera. Clicar duas vezes não repete nada.",
    "process.busy": "Processando…",
    "reoffer.button": "Enviar de novo o que falta",
    "reoffer.hint": "{missing}, cada um na ordem que tinha. O que o banco de dados já tem não se repete.",
    "process.failed": "O pedido não chegou ao sistema. Tente de novo.",
    "result.title": "Resultado do processamento das {when}",
    "result.caption": "Resultado por registro",
    "result.none": "Nenhum registro mudou de situação.",
    "result.more": "São mostrados os primeiros {number} registros.",
    "result.applied": "Gravado",
    "result.quarantined": "Em quarentena: {reason}",
    "result.held": "Separado, nova tentativa automática: {reason}",
    "drained.away": (
        "O banco de dados está fora do ar. "
        "{remaining} em segurança neste sistema; enviaremos sozinhos quando voltar."
    ),
    "drained.nothing": "Nada pendente.",
    "drained.done.one": "1 registro sincronizado",
    "drained.done.many": "{number} registros sincronizados",
    "drained.remaining.one": "; 1 registro ainda pendente",
    "drained.remaining.many": "; {number} registros ainda pendentes",
    "drained.quarantined": "; {quarantined} em quarentena, à espera de correção",
    # -- live
    "live.stale": "Sem atualização desde {at}. O que se vê abaixo pode estar velho; tentando de novo.",
    "live.out": "Sem atualização desde {at}: sua sessão terminou. Recarregue a página e entre de novo.",
    "live.back": "Atualizado de novo.",
    "live.without": "Sem JavaScript esta página não se atualiza sozinha: recarregue para ver o que mudou.",
    # -- lists
    "list.filter": "Filtrar",
    "list.clear": "Limpar",
    "list.all": "Todos",
    "list.kind": "Tipo",
    "list.state": "Situação",
    "list.reason": "Motivo",
    "list.protocol": "Protocolo ou gravação",
    "list.protocol.hint": "Ex.: AP-7K3F-9Q2M-4TXC",
    "list.protocol.wrong": "Este número não confere. Verifique cada caractere.",
    "list.protocol.none": "Nenhum registro com este número na fila deste sistema.",
    "list.elsewhere": "{protocol} não está nesta lista. Situação: {state}.",
    "list.empty": "Nenhum registro nesta lista.",
    "list.empty.more": "Nenhum entre os registros vistos até aqui; há mais adiante.",
    "list.next": "Próximos",
    "list.first": "Início",
    "list.read_at": "Lista das {when}. Recarregue para atualizar.",
    "list.bounded": "Esta lista examina os primeiros {number} registros depois do primeiro separado.",
    "pending.title": "Pendentes",
    "pending.intro": (
        "Registros aceitos que ainda não estão no banco de dados. Todos estão seguros neste sistema."
    ),
    "pending.caption": "Registros pendentes, do mais antigo para o mais novo",
    "pending.behind": "Espera por {protocol}.",
    "quarantine.title": "Quarentena",
    "quarantine.intro": (
        "Registros aceitos que o banco de dados recusou. Nada foi perdido: uma pessoa decide se cada um é "
        "reenviado ou descartado."
    ),
    "quarantine.caption": "Registros em quarentena, do mais antigo para o mais novo",
    "column.protocol": "Protocolo",
    "column.kind": "Tipo",
    "column.state": "Situação",
    "column.reason": "Motivo",
    "column.accepted": "Aceito em",
    "column.when": "Quando",
    "column.event": "O que houve",
    "column.details": "Detalhes",
    "column.result": "Resultado",
    "column.who": "Quem",
    "column.act": "Ato",
    "column.why": "Por quê",
    "column.field": "Campo",
    "column.value": "Valor",
    # -- one entry
    "entry.title": "Registro",
    "entry.write": "Gravação",
    "entry.version": "Versão",
    "entry.version.note": "{version}ª versão: já foi reenviado por uma pessoa.",
    "entry.seq": "Número na fila",
    "entry.author": "Autor",
    "entry.changed": "Nesta situação desde",
    "entry.reason": "Motivo",
    "entry.advice": "O que fazer",
    "entry.code": "código",
    "entry.maybe": (
        "Uma tentativa ficou sem resposta. Isto está resolvido antes de qualquer reenvio: não duplica."
    ),
    "entry.payload": "Dados do registro",
    "entry.masked": "Os valores estão mascarados: mostra-se só o primeiro caractere e o tamanho.",
    "entry.revealed": "Os valores estão à mostra; isto ficou registrado em seu nome.",
    "entry.unreadable": (
        "O conteúdo não pode ser aberto: a chave que o cifrou não está aqui, ou o arquivo foi danificado."
    ),
    "entry.followers": "Quem espera por este registro",
    "entry.followers.none": "Ninguém espera por este registro.",
    "entry.followers.more": "e mais {number}",
    "entry.acts": "Decisões tomadas",
    "entry.acts.none": "Nenhuma decisão foi tomada até agora.",
    "entry.state.pending": "Pendente",
    "entry.state.parked": "Pendente, esperando a vez",
    "entry.state.held": "Separado",
    "entry.state.quarantined": "Em quarentena",
    "entry.state.applied": "Gravado",
    "entry.state.discarded": "Descartado",
    "entry.says.pending": "Está seguro neste sistema e segue sozinho para o banco de dados.",
    "entry.says.parked": "Está seguro neste sistema. Espera a vez, depois de {protocol}.",
    "entry.says.held": "Não pôde ser gravado agora. O sistema tenta de novo sozinho.",
    "entry.says.quarantined": (
        "Foi aceito, mas o banco de dados recusou. Nada foi perdido: decida o que fazer."
    ),
    "entry.says.applied": "Está no banco de dados.",
    "entry.says.discarded": "Uma pessoa decidiu descartá-lo. Não terá efeito.",
    "act.requeue": "Reenviado",
    "act.discard": "Descartado",
    "act.reveal": "Dados vistos",
    "outcome.pending": "voltou à fila",
    "outcome.discarded": "descartado",
    "outcome.shown": "dados mostrados",
    # -- the verbs
    "verbs.title": "Decidir",
    "reveal.button": "Mostrar os dados",
    "reveal.hint": "Fica registrado quem viu.",
    "requeue.button": "Reenviar",
    "requeue.title": "Reenviar",
    "requeue.text": (
        "O registro volta à fila como está e é tentado outra vez. Faça isto depois de resolver a causa da "
        "recusa; senão ele volta à quarentena."
    ),
    "requeue.confirm": "Reenviar registro",
    "discard.button": "Descartar",
    "discard.title": "Descartar",
    "discard.text": (
        "O registro não será gravado e nunca terá efeito. Faça isto só quando os dados "
        "não servem ou já foram "
        "gravados de outro modo."
    ),
    "discard.confirm": "Descartar registro",
    "verb.followers.many": "{number} registros esperam por este e seguem depois da sua decisão.",
    "verb.followers.one": "1 registro espera por este e segue depois da sua decisão.",
    "verb.reason": "Motivo da decisão",
    "verb.reason.hint": "Fica registrado com seu nome. Não escreva dados pessoais.",
    "verb.reason.missing": "Escreva o motivo: ele fica registrado.",
    "verb.back": "Voltar sem mudar nada",
    # -- the activity log
    "activity.title": "Atividade",
    "activity.intro": (
        "O que aconteceu com a conexão, com o disjuntor e com cada registro. O mais novo primeiro."
    ),
    "activity.caption": "Acontecimentos, do mais novo para o mais antigo",
    "activity.event": "Acontecimento",
    "activity.older": "Mais antigos",
    "activity.newest": "Mais novos",
    "activity.empty": "Nenhum acontecimento.",
    "activity.about": "Atividade deste registro",
    # -- small parts of sentences
    "yes": "sim",
    "no": "não",
    "records.one": "1 registro",
    "records.many": "{number} registros",
    "ago.now": "menos de um minuto",
    "ago.minute": "1 minuto",
    "ago.minutes": "{number} minutos",
    "ago.hour": "1 hora",
    "ago.hours": "{number} horas",
    "ago.day": "1 dia",
    "ago.days": "{number} dias",
}
