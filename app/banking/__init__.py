"""What came in at the bank and which case it belongs to."""
