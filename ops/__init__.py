"""What an operator or developer runs; may import everything, nothing imports it."""
