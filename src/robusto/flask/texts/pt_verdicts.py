"""Brazilian Portuguese: the verdict. What is the case, what it means at the desk, what to do."""

from __future__ import annotations

VERDICTS: dict[str, str] = {
    "level.green": "Verde",
    "level.yellow": "Amarelo",
    "level.red": "Vermelho",
    "verdict.label": "Situação agora",
    "verdict.since": "Desde {when} ({ago}).",
    "verdict.desk": "No atendimento",
    "verdict.todo": "O que fazer",
    "verdict.cause": "Causa",
    "verdict.detail": "Para o técnico",
    "well.what": "Tudo em ordem: cada registro é gravado na hora.",
    "well.desk": "Pode atender normalmente.",
    "well.todo": "Nada a fazer.",
    "pending.what": "Pode continuar a registrar: há registros a caminho do banco de dados.",
    "pending.desk": "Pode atender normalmente. O que está pendente está seguro neste sistema.",
    "pending.todo": "Nada a fazer: os registros seguem sozinhos. Se quiser, use Processar Pendentes.",
    "quarantine.what": "Pode continuar a registrar: há registros que precisam de uma pessoa.",
    "quarantine.desk": "Pode atender normalmente. Nada foi perdido; o que é novo é gravado na hora.",
    "quarantine.todo": "Abra a quarentena, veja o motivo de cada registro e decida: reenviar ou descartar.",
    "away.what": "Pode continuar a registrar: o banco de dados está fora do ar e tudo é guardado aqui.",
    "away.desk": "Pode atender normalmente. Cada registro recebe seu protocolo e fica seguro neste sistema.",
    "away.todo": (
        "Nada se perde: tudo será enviado quando o banco de dados voltar. Se a queda durar, avise o suporte."
    ),
    "coming_back.what": "Pode continuar a registrar: o banco de dados está voltando.",
    "coming_back.desk": "Pode atender normalmente. O que foi guardado está sendo enviado.",
    "coming_back.todo": "Aguarde alguns segundos.",
    "never_looked.what": "O sistema acabou de começar: o banco de dados ainda não foi verificado.",
    "never_looked.desk": "Pode atender normalmente: o que não puder ser gravado será guardado aqui.",
    "never_looked.todo": (
        "Aguarde alguns segundos. Se continuar assim, veja se o sistema foi iniciado por inteiro."
    ),
    "configuration.what": "Pode continuar a registrar, mas o banco de dados recusa este sistema.",
    "configuration.desk": "Pode atender normalmente: tudo é guardado aqui, mas nada chega ao banco de dados.",
    "configuration.todo": (
        "Isto não passa sozinho. Chame quem administra o banco de dados: confira endereço, usuário, senha e "
        "permissões."
    ),
    "not_flushed.what": "Os registros são gravados, mas uma queda de energia pode apagar os últimos.",
    "not_flushed.desk": "Pode atender normalmente. Enquanto durar, guarde os números de protocolo.",
    "not_flushed.todo": (
        "Isto não passa sozinho. Chame quem administra o banco de dados: `fsync` está desligado e precisa "
        "ser ligado."
    ),
    "set_back.what": "Pode continuar a registrar: o banco de dados voltou sem os últimos registros.",
    "set_back.desk": (
        "Pode atender normalmente. O que ele perdeu está guardado aqui e é enviado de novo, em ordem; o que "
        "é novo espera a vez."
    ),
    "set_back.todo": (
        "O envio é automático. Avise quem administra o banco de dados: foi restaurada uma cópia antiga, ou "
        "entrou outro servidor?"
    ),
    "set_back_waits.what": (
        "Pode continuar a registrar, mas o banco de dados voltou sem os últimos registros."
    ),
    "set_back_waits.desk": (
        "Pode atender normalmente: tudo é guardado aqui, mas nada segue sem uma decisão sua."
    ),
    "set_back_waits.todo": (
        "Confira com quem administra o banco de dados se este é o servidor certo. Se for, use Enviar de novo "
        "o que falta."
    ),
    "held.what": "Pode continuar a registrar, mas há registros que só seguem depois de um conserto.",
    "held.desk": "Pode atender normalmente. Os registros separados e os que vêm depois deles estão seguros.",
    "held.todo": "Isto não passa sozinho. Chame o suporte e mostre a causa abaixo.",
    "silent.what": "Pode continuar a registrar, mas ninguém está cuidando do envio.",
    "silent.desk": "Pode atender normalmente: os registros são guardados, mas não são enviados.",
    "silent.todo": "Reinicie o sistema. Se continuar assim, chame o suporte.",
    "stalled.what": "Pode continuar a registrar, mas o envio dos pendentes parou.",
    "stalled.desk": "Pode atender normalmente. O que está pendente está seguro, mas não avança.",
    "stalled.todo": "Use Processar Pendentes. Se nada mudar, chame o suporte.",
    "unbalanced.what": "A conta dos registros não fecha: chame o suporte agora.",
    "unbalanced.desk": "Confira cada novo registro e anote os números de protocolo.",
    "unbalanced.todo": "Não apague nem mova arquivos. Chame o suporte; a verificação mostra o que falta.",
    "journal_failed.what": "ATENÇÃO: se o banco de dados falhar agora, nada poderá ser guardado.",
    "journal_failed.desk": "Só conte como feito o que aparecer como gravado. Na dúvida, anote no papel.",
    "journal_failed.todo": (
        "Chame o administrador agora: veja se o disco está cheio ou a pasta da fila foi mudada."
    ),
    "journal_unreadable.what": "ATENÇÃO: a fila local não pode ser lida. Não se sabe o que está pendente.",
    "journal_unreadable.desk": "Anote os registros no papel até que isto seja consertado.",
    "journal_unreadable.todo": "Chame o administrador agora. Não apague nem mova arquivos.",
}
