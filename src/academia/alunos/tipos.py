"""The stored names of the writes about students. Renaming one needs an alias in the engine."""

CADASTRAR = "aluno.cadastrar"
EDITAR = "aluno.editar"
TIPOS = (CADASTRAR, EDITAR)
