"""Taking in the files of the earlier system."""
