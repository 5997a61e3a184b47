DROP INDEX ix_messages_inbound;
DROP TABLE attachments;
