-- How far each polled mailbox was read.
CREATE TABLE mailboxes (
    name TEXT NOT NULL,
    uid_validity BIGINT NOT NULL,
    last_uid BIGINT NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_mailboxes PRIMARY KEY (name)
);
