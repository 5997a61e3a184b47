"""Finance over HTTP: the bank, allocations, payouts and the ledger, tied to the cases' ladder.

The services of app/banking, app/payouts and app/ledger move the money; here each of their facts is
told to the engine in the same transaction, so that a case never says other than the books.
"""
