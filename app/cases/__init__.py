"""Reading cases, and what their owners do with them."""
