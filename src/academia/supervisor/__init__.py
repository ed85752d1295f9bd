"""What `make run` runs: the embedded PostgreSQL, the migration, gunicorn; all of it ends together."""
