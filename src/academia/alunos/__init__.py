"""Students: what they are, how they are registered, edited, found."""
