"""The journal in the forms other programs read; pure, a piece of the journal at a time."""
