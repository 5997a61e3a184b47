"""Papers of a case: statements of account, invoices; asked for, listed and read."""
