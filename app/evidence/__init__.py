"""Files people give us: received into quarantine, told by their content, kept under their hash."""
