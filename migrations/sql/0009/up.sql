-- Sealing needs keys, and the keys are not in the database: what was written in clear before this
-- revision is removed, not carried over. The bytes of letters are in the document store under
-- their hash, those of bank files with the bank, under the hash kept here. No installation was in
-- production when this was written.
ALTER TABLE letter_versions ADD COLUMN content_cipher BYTEA;
ALTER TABLE letter_versions ADD COLUMN sealed_for UUID[] NOT NULL DEFAULT '{}';
ALTER TABLE letter_versions ALTER COLUMN sealed_for DROP DEFAULT;
ALTER TABLE letter_versions ADD COLUMN deadline DATE;
UPDATE letter_versions SET deadline = CAST(content->>'deadline' AS DATE);
ALTER TABLE letter_versions DROP COLUMN content;

ALTER TABLE messages ADD COLUMN to_consumer_id UUID;
ALTER TABLE messages ADD COLUMN to_cipher BYTEA;
-- Notices without a named claimant went to the first one.
UPDATE messages m SET to_address = '', to_consumer_id = p.consumer_id
  FROM effects e, claimants p
 WHERE e.id = m.effect_id AND e.kind = 'NotifyConsumer' AND p.case_id = m.case_id
   AND (p.id = CAST(e.payload->>'claimant_id' AS UUID)
        OR e.payload->>'claimant_id' IS NULL AND p.position =
           (SELECT min(f.position) FROM claimants f WHERE f.case_id = m.case_id));
UPDATE messages m SET to_address = '', to_consumer_id = u.id
  FROM effects e, consumers u
 WHERE e.id = m.effect_id AND e.kind = 'AcknowledgeMessage' AND u.email = lower(m.to_address);
ALTER TABLE messages ADD CONSTRAINT ck_messages_to_sealed
    CHECK (to_consumer_id IS NULL OR to_address = '');
ALTER TABLE messages ADD CONSTRAINT fk_messages_to_consumer_id
    FOREIGN KEY (to_consumer_id) REFERENCES consumers (id);

ALTER TABLE external_events DROP COLUMN raw;
ALTER TABLE external_events ADD COLUMN raw_cipher BYTEA NOT NULL DEFAULT '\x';
ALTER TABLE external_events ALTER COLUMN raw_cipher DROP DEFAULT;

ALTER TABLE movements ADD COLUMN payer_account_masked TEXT;
ALTER TABLE movements ADD COLUMN payer_account_cipher BYTEA;
ALTER TABLE movements DROP COLUMN payer_account;
