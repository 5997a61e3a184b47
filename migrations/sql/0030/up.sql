-- Letters beside the steps of the ladder: what each is about, and what a person said it should say.
ALTER TABLE letters ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE letters ALTER COLUMN topic DROP DEFAULT;
ALTER TABLE letters DROP CONSTRAINT ck_letters_kind;
ALTER TABLE letters ADD CONSTRAINT ck_letters_kind CHECK (kind IN (
    'contact', 'reminder', 'formal_notice', 'complaint', 'denial_answer', 'promise_broken',
    'offer_refused', 'full_settlement_refused', 'offer_accepted', 'more_time', 'wrong_party',
    'mandate_notice', 'closing_company', 'closing_consumer', 'debt_dispute', 'declaration'));
-- Of one kind and topic there is one letter for ever, unless it was cancelled before it left.
CREATE UNIQUE INDEX uq_letters_topic ON letters (case_id, kind, topic)
    WHERE topic <> '' AND state <> 'cancelled';
CREATE TABLE letter_details (
    letter_id UUID NOT NULL,
    consumer_id UUID NOT NULL,
    details_cipher BYTEA NOT NULL,
    company_id UUID,
    CONSTRAINT pk_letter_details PRIMARY KEY (letter_id),
    CONSTRAINT fk_letter_details_letter_id_letters FOREIGN KEY (letter_id) REFERENCES letters (id)
);
