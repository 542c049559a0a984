"""Pages of a class, by subject."""
