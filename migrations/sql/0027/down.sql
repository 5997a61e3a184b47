DELETE FROM tasks WHERE kind = 'file_at_portal';
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_kind;
ALTER TABLE tasks ADD CONSTRAINT ck_tasks_kind CHECK (kind IN (
    'assess', 'approve_letter', 'read_reply', 'choose_next_step', 'fix_channel',
    'confirm_company', 'file_complaint', 'answer_body', 'answer_company', 'offer_lapsing',
    'promise_broken', 'check_direct_payment', 'register_voucher', 'prepare_payout', 'fix_payout',
    'return_money', 'settle_effect', 'care', 'legal', 'incident', 'agency_late', 'limitation',
    'body_limit', 'call_consumer', 'poisoned_case', 'feed_silent', 'rate_missing', 'place_mail',
    'licence_ending',
    'release_mail',
    'complaint_about_us', 'insolvency_notice', 'direct_first'
));
DROP TABLE portal_filings;
ALTER TABLE channels DROP COLUMN form;
