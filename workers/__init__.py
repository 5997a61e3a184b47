"""Everything that happens without a caller waiting."""
