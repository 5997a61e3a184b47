"""One file per command of `recourse`."""
