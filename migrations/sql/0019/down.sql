DROP TABLE document_links;
DROP TABLE mail_pace;
DROP INDEX ix_messages_effect;
ALTER TABLE messages DROP COLUMN delivery_status;
UPDATE messages SET state = 'sent' WHERE state IN ('deferred', 'delivered');
ALTER TABLE messages DROP CONSTRAINT ck_messages_state;
ALTER TABLE messages ADD CONSTRAINT ck_messages_state CHECK
    (state IN ('unread','read','set_aside','pen','quarantine','not_ours','sent','bounced'));
