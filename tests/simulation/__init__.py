"""Whole hosts in one thread: thousands of seeds, each an interleaving of work and faults of its own."""
