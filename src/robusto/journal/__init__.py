"""4. The durable local FIFO: what PostgreSQL cannot take now waits here, sealed and flushed."""
