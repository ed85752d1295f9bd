"""The schema of PostgreSQL, step by step (Alembic)."""
