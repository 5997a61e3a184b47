DROP INDEX ix_commission_invoices_issued;
DROP INDEX ix_journal_txns_effective;
DROP INDEX ix_movements_booked;
DROP TABLE payer_links;
DROP TABLE match_outcomes;
DROP TABLE match_queue;
