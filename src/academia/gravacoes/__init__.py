"""Where an accepted write is now."""
