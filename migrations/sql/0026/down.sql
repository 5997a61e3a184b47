DROP TABLE mandate_starts;
DELETE FROM case_timers WHERE kind = 'withdrawal_end';
ALTER TABLE case_timers DROP CONSTRAINT ck_case_timers_kind;
ALTER TABLE case_timers ADD CONSTRAINT ck_case_timers_kind CHECK (kind IN (
    'deadline', 'nudge', 'heartbeat', 'question_due', 'offer_warning', 'offer_expiry',
    'promise_due', 'hold_end', 'body_status', 'agency_late', 'limitation', 'body_limit'
));
ALTER TABLE claimants DROP COLUMN waits_until;
