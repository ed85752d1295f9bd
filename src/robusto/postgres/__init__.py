"""3. PostgreSQL: the only room that knows the driver."""
