"""What people read at the front desk, in one place. The codes are stable."""

from __future__ import annotations

from collections.abc import Sequence

from academia.balcao.frase import Frase

# -- where a write is ----------------------------------------------------------------------------------

_FORA_DO_AR = "O banco de dados está fora do ar; enviaremos sozinhos quando voltar. Pode atender o próximo."
_NA_FILA = "Está na fila; enviaremos sozinhos. Pode atender o próximo."


def gravado(protocolo: str, *, edicao: bool = False) -> Frase:
    """Stored."""
    titulo = "Alteração gravada." if edicao else "Cadastro gravado."
    return Frase("gravado", titulo, f"Protocolo {protocolo}.", "green")


def pendente(*, edicao: bool = False, fora_do_ar: bool = True) -> Frase:
    """Pending: safe here, not yet in PostgreSQL. Never says that the database is down while it is not."""
    o_que = "Alteração guardada" if edicao else "Cadastro guardado"
    resto = _FORA_DO_AR if fora_do_ar else _NA_FILA
    return Frase("pendente", f"{o_que} com segurança neste sistema.", resto, "yellow")


AGUARDANDO_A_VEZ = Frase(
    "aguardando-a-vez",
    "Guardado, aguardando a vez.",
    "Um registro anterior desta pessoa precisa de correção; este segue depois dele.",
    "yellow",
)


def quarentena(hora: str, motivo: str) -> Frase:
    """Accepted, and refused by PostgreSQL later."""
    resto = f"Aceito às {hora}, mas o banco recusou: {motivo}. Nada foi perdido."
    return Frase("quarentena", "Precisa de correção.", resto)


DESCARTADO = Frase(
    "descartado",
    "Descartado.",
    "Uma pessoa decidiu não gravar este registro. Por 30 dias o administrador pode restaurá-lo.",
    "yellow",
)
DESCONHECIDO = Frase(
    "desconhecido",
    "Não é possível saber agora.",
    "O banco de dados está fora do ar e este sistema não tem esta informação. Tente de novo mais tarde.",
    "yellow",
)
FILA_ILEGIVEL = Frase(
    "desconhecido",
    "Não é possível saber agora.",
    "A fila local não pode ser lida. Chame o administrador.",
)

#: Why PostgreSQL refused, in words that fit into the sentence; other codes have their own in the console.
MOTIVOS = {
    "23505": "o CPF pertence a outra pessoa",
    "conflict": "alguém mudou este campo antes",
    "no_effect": "o cadastro a mudar não existe mais",
    "key_reused": "o mesmo formulário já tinha sido enviado com outros dados",
}

# -- refusals ------------------------------------------------------------------------------------------

NAO_GRAVADO = "Não gravado."
CPF_EM_USO = "O CPF pertence a outra pessoa."
CONFIRA_OS_DADOS = "O banco de dados recusou estes dados. Confira os campos e envie de novo."
SEM_O_CADASTRO = "Este cadastro não existe mais."


def rejeitado(motivo: str, rotulos: Sequence[str], codigo: str = "dados-invalidos") -> Frase:
    """Refused, nothing kept; names the fields."""
    match len(rotulos):
        case 0:
            corrija = ""
        case 1:
            corrija = f" Corrija o campo {rotulos[0]}."
        case _:
            corrija = f" Corrija os campos {', '.join(rotulos[:-1])} e {rotulos[-1]}."
    return Frase(codigo, NAO_GRAVADO, f"{motivo}{corrija}".strip())


CONFLITO = Frase("conflito", "Alguém mudou este campo antes.")
CONFLITOS = Frase("conflito", "Alguém mudou estes campos antes.")

#: By the name of the error of the journal.
POR_QUE_NAO_GUARDADO = {
    "JournalFull": "Disco cheio.",
    "JournalBusy": "A fila local está ocupada.",
    "JournalMissing": "A fila local sumiu do disco.",
    "JournalUnreadable": "A fila local não pode ser lida.",
    "MissingKey": "Falta a chave da fila local.",
}
_POR_QUE = "A fila local falhou."


def nao_guardado(erro: str) -> Frase:
    """Certainly nowhere."""
    motivo = POR_QUE_NAO_GUARDADO.get(erro, _POR_QUE)
    return Frase("nao-guardado", "NÃO foi guardado.", f"{motivo} Anote no papel e chame o administrador.")


RESULTADO_DESCONHECIDO = Frase(
    "resultado-desconhecido",
    "Não sabemos se foi guardado.",
    "Envie de novo este mesmo formulário: não há risco de duplicar.",
)
PARECE_JA_EXISTIR = Frase("talvez-duplicado", "Parece já existir:", cor="yellow")


def outra_pessoa(nome: str) -> Frase:
    """A form that registered somebody is sent again with somebody else's name."""
    resto = f"Agora o nome é outro. O que você quer fazer? O cadastro de {nome} está guardado."
    return Frase("formulario-ja-usado", f"Este formulário já cadastrou {nome}.", resto, "yellow")


NADA_MUDOU = "Nada foi mudado: o cadastro já estava assim."
FICOU_O_ATUAL = "Nada foi mudado: ficou o valor atual."
DE_VOLTA = Frase(
    "formulario-de-volta",
    "O que você digitou está aqui.",
    "Nada foi enviado ainda: confira e grave.",
    "yellow",
)

# -- the desk ------------------------------------------------------------------------------------------

BANCO_FORA_DO_AR = Frase(
    "banco-fora-do-ar",
    "O banco de dados está fora do ar.",
    "Pode continuar a atender: tudo fica guardado neste sistema e será enviado sozinho.",
    "yellow",
)
FILA_FALHOU = Frase("fila-falhou", "A fila local não está aceitando registros.", "Chame o administrador.")
_O_QUE = {False: ("cadastro", "cadastros", "o"), True: ("alteração", "alterações", "a")}


def _quando(horas: Sequence[str]) -> str:
    return f"às {horas[0]}" if horas[0] == horas[-1] else f"entre {horas[0]} e {horas[-1]}"


def gravados_depois(horas: Sequence[str], *, edicao: bool = False) -> Frase:
    """What was accepted in an outage has arrived. `horas`: when each was accepted, in order."""
    um, varios, o = _O_QUE[edicao]
    n, quando = len(horas), _quando(horas)
    if n == 1:
        titulo = f"{o.upper()} {um} guardad{o} {quando} já está gravad{o}."
    else:
        titulo = f"{o.upper()}s {n} {varios} guardad{o}s {quando} já estão gravad{o}s."
    return Frase("gravado-depois", titulo, cor="green")


def a_espera(n: int) -> str:
    """How many of this session wait."""
    return (
        "1 registro seu espera o banco de dados."
        if n == 1
        else f"{n} registros seus esperam o banco de dados."
    )


SEM_BALCAO = Frase(
    "sem-balcao", "Seu papel não usa o balcão.", "Cadastro e procura de pessoas são da recepção.", "yellow"
)
CPF_INVALIDO = Frase("cpf-invalido", "CPF inválido.", "Confira os dígitos.")
PROTOCOLO_INVALIDO = Frase("protocolo-invalido", "Protocolo inválido.", "Confira cada letra e número.")
SEM_PROCURA = Frase(
    "desconhecido", "Não é possível procurar agora.", "A fila local não pode ser lida. Chame o administrador."
)
DA_COPIA = "da cópia local de {hora}"


def da_copia(hora: str) -> Frase:
    """A student as the local copy has him."""
    return Frase(
        "da-copia",
        "Da cópia local.",
        f"O banco de dados está fora do ar; estes dados são de {hora}.",
        "yellow",
    )


SEM_COPIA = "sem o banco de dados e sem cópia local: só o que está guardado neste sistema"
HA_MAIS = "Há mais pessoas: escreva mais do nome."


def encontradas(n: int, ha_mais: bool, fonte: str) -> str:
    """How many were found, and where when it is not in PostgreSQL."""
    if n == 0:
        frase = "Ninguém encontrado"
    elif ha_mais:
        frase = f"Mais de {n} pessoas encontradas"
    else:
        frase = "1 pessoa encontrada" if n == 1 else f"{n} pessoas encontradas"
    return f"{frase} ({fonte})." if fonte else f"{frase}."


ESTADOS = {
    "gravado": ("Gravado", "green"),
    "pendente": ("Pendente", "yellow"),
    "quarentena": ("Em quarentena", "red"),
    "descartado": ("Descartado", "yellow"),
}
SITUACOES = {
    "ativo": "Ativo",
    "inativo": "Inativo",
    "suspenso": "Suspenso",
    "transferido": "Transferido",
}
FALHA_NOSSA = Frase(
    "erro-interno",
    "Falha nossa.",
    "Esta página não pôde ser mostrada. Tente de novo e chame o administrador.",
)
NAO_ENCONTRADO = Frase(
    "nao-encontrado", "Não encontrado.", "Confira o endereço ou procure de novo.", "yellow"
)
NAO_SE_ABRE = Frase(
    "metodo-nao-permitido", "Este endereço não se abre assim.", "Volte e use o botão da página.", "yellow"
)
CORPO_GRANDE = Frase("corpo-grande", "Não gravado. O formulário é grande demais.", "Envie menos texto.")
PEDIDO_ILEGIVEL = Frase("requisicao-invalida", "O pedido não pôde ser lido.", "Volte e tente de novo.")
