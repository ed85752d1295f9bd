"""What people read in this room, in one place."""

from __future__ import annotations

from academia.acesso.direitos import ADMINISTRADOR, AUDITOR, PROFESSOR, RECEPCAO

ENTRE_PRIMEIRO = "Entre no sistema para continuar. O que você digitou fica guardado nesta página."
SESSAO_VENCIDA = "Sua entrada venceu. Entre de novo: o que você digitou fica guardado nesta página."
LOGIN_OU_SENHA = "Usuário ou senha não conferem. Confira e tente de novo."
MUITAS_TENTATIVAS = "Muitas tentativas. Espere {espera} e tente de novo."
OCUPADO = "Muita gente está entrando agora. Espere alguns segundos e tente de novo."
SAIU = "Você saiu do sistema."
PAGINA_VENCIDA = "A página ficou aberta tempo demais ou é de outra entrada. Nada foi feito: envie de novo."
SEM_PERMISSAO = "Seu papel não permite isto. Se precisar, fale com o administrador."
OUTRA_ORIGEM = "Este pedido veio de outro lugar, e não de uma página deste sistema. Nada foi feito."
TROQUE_A_SENHA = "Antes de continuar, troque a senha de uso único."
ILEGIVEL = (
    "Os usuários não podem ser lidos agora. Nada foi feito. "
    "Tente de novo e, se continuar, chame o administrador."
)

SENHA_CURTA = "A senha precisa de {minimo} caracteres ou mais."
SENHA_LONGA = "A senha pode ter no máximo {maximo} caracteres."
SENHA_E_O_LOGIN = "A senha não pode ser o próprio usuário."
SENHA_IGUAL = "A senha nova precisa ser diferente da atual."
SENHA_ATUAL_ERRADA = "A senha atual não confere."
SENHAS_DIFERENTES = "As duas senhas novas não são iguais."
SENHA_TROCADA = "Senha trocada. Em outros aparelhos será preciso entrar de novo."

LOGIN_INVALIDO = "O usuário (login) tem de 1 a 60 caracteres, sem espaços."
NOME_INVALIDO = "O nome tem no máximo 120 caracteres."
LOGIN_EM_USO = "Já existe um usuário com este login."
PAPEL_DESCONHECIDO = "Escolha um dos papéis."
SEM_USUARIO = "Não há usuário com este login."
ULTIMO_ADMINISTRADOR = "Este é o último administrador ativo: crie ou ative outro antes."
A_PROPRIA_SENHA = "Para trocar a própria senha use a página Senha."
USUARIO_CRIADO = "Usuário {login} criado."
PAPEL_MUDADO = "Papel de {login} mudado para {papel}."
USUARIO_DESATIVADO = "Usuário {login} desativado: já está fora do sistema."
USUARIO_ATIVADO = "Usuário {login} ativado."
SENHA_NOVA = "Senha nova de {login}."

PAPEIS = {
    ADMINISTRADOR: "Administrador",
    RECEPCAO: "Recepção",
    PROFESSOR: "Professor",
    AUDITOR: "Auditor",
}

PRIMEIRO_ADMINISTRADOR = "Administrador: {login}\nSenha de uso único: {senha}"


def espera(segundos: int) -> str:
    """How long, in words."""
    if segundos < 60:
        return f"{segundos} segundos" if segundos != 1 else "1 segundo"
    minutos = -(-segundos // 60)
    return f"{minutos} minutos" if minutos != 1 else "1 minuto"
