DROP TABLE findings;
-- Dates and work that the older code has no word for; the dates stand in the playbook and come back.
DELETE FROM case_timers WHERE kind = 'body_limit';
DELETE FROM tasks WHERE kind = 'body_limit';
ALTER TABLE case_timers DROP CONSTRAINT ck_case_timers_kind;
ALTER TABLE case_timers ADD CONSTRAINT ck_case_timers_kind CHECK (kind IN (
    'deadline', 'nudge', 'heartbeat', 'question_due', 'offer_warning', 'offer_expiry',
    'promise_due', 'hold_end', 'body_status', 'agency_late', 'limitation'
));
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing'
));
