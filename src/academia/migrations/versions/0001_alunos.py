"""Students, and the engine's own tables."""

from __future__ import annotations

from alembic import op

from robusto.postgres.schema import LOCK, STATEMENTS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Collation "C": the order of PostgreSQL is that of Python's strings, whatever the database's own is,
#: and one btree serves order and prefixes.
_ALUNOS = """
CREATE TABLE alunos (
    id uuid PRIMARY KEY,
    protocolo text NOT NULL,
    nome text NOT NULL,
    nome_social text,
    cpf text,
    rg text,
    data_nascimento date,
    sexo text,
    estado_civil text,
    telefone text,
    celular text,
    whatsapp boolean,
    email text,
    cep text,
    endereco text,
    bairro text,
    cidade text,
    uf text,
    titulo_eleitor text,
    zona text,
    secao text,
    municipio text,
    responsavel_nome text,
    responsavel_cpf text,
    responsavel_telefone text,
    responsavel_parentesco text,
    atividade text,
    turma text,
    indicacao text,
    observacoes text,
    situacao text NOT NULL DEFAULT 'ativo',
    busca text COLLATE "C" NOT NULL,
    origem jsonb,
    criado_em timestamptz NOT NULL,
    criado_por text NOT NULL,
    alterado_em timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT alunos_protocolo_key UNIQUE (protocolo),
    CONSTRAINT alunos_cpf_key UNIQUE (cpf),
    CONSTRAINT alunos_situacao_check CHECK (situacao IN ('ativo', 'inativo', 'suspenso', 'transferido'))
)
"""

_DEMAIS = (
    "CREATE INDEX alunos_alterado_em_idx ON alunos (alterado_em, id)",
    "CREATE INDEX alunos_busca_idx ON alunos (busca, id)",
    "CREATE INDEX alunos_telefone_idx ON alunos (telefone text_pattern_ops)",
    "CREATE INDEX alunos_cpf_idx ON alunos (cpf text_pattern_ops)",
    """
    CREATE FUNCTION alunos_alterado() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.alterado_em := clock_timestamp();
        RETURN NEW;
    END
    $$
    """,
    """
    CREATE TRIGGER alunos_alterado BEFORE INSERT OR UPDATE ON alunos
    FOR EACH ROW EXECUTE FUNCTION alunos_alterado()
    """,
    "COMMENT ON COLUMN alunos.busca IS 'normalised by the app (alunos/normalizar.py); never by hand'",
    "COMMENT ON COLUMN alunos.origem IS 'the raw record of an import, as it came'",
)


def upgrade() -> None:
    """Create everything."""
    op.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
    for comando in (*STATEMENTS, _ALUNOS, *_DEMAIS):
        op.execute(comando)
