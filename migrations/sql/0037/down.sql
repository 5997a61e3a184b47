DROP TABLE mandate_originals;
DROP TABLE mandate_signers;
ALTER TABLE mandates DROP COLUMN evidence_id;
ALTER TABLE mandates DROP COLUMN valid_until;
ALTER TABLE mandates DROP COLUMN drawing;
DELETE FROM case_timers WHERE kind = 'mandate_end';
ALTER TABLE case_timers DROP CONSTRAINT ck_case_timers_kind;
ALTER TABLE case_timers ADD CONSTRAINT ck_case_timers_kind CHECK (kind IN (
    'deadline', 'nudge', 'heartbeat', 'question_due', 'offer_warning', 'offer_expiry',
    'promise_due', 'hold_end', 'body_status', 'agency_late', 'limitation', 'body_limit',
    'withdrawal_end'
));
ALTER TABLE claimants DROP CONSTRAINT ck_claimants_mandate;
UPDATE claimants SET mandate = 'revoked' WHERE mandate = 'expired';
ALTER TABLE claimants ADD CONSTRAINT ck_claimants_mandate
    CHECK (mandate IN ('none', 'signed', 'revoked'));
ALTER TABLE claimants DROP CONSTRAINT ck_claimants_level;
ALTER TABLE claimants DROP COLUMN valid_until;
ALTER TABLE claimants DROP COLUMN level;
