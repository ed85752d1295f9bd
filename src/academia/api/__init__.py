"""What every address under /api has in common: tokens, bodies, errors, its description."""
