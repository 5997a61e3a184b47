-- Letters on paper whose printer can be asked what became of them.
CREATE TABLE post_watch (
    effect_id UUID NOT NULL,
    case_id UUID NOT NULL,
    letter_id UUID,
    provider TEXT NOT NULL,
    provider_ref TEXT NOT NULL,
    registered BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    tracking_number TEXT,
    handed_over_at TIMESTAMP WITH TIME ZONE NOT NULL,
    look_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_person_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_post_watch PRIMARY KEY (effect_id),
    CONSTRAINT fk_post_watch_effect_id_effects FOREIGN KEY (effect_id) REFERENCES effects (id),
    CONSTRAINT fk_post_watch_case_id_cases FOREIGN KEY (case_id) REFERENCES cases (id),
    CONSTRAINT ck_post_watch_state CHECK (state IN
        ('accepted', 'moving', 'delivered', 'returned', 'failed', 'gone', 'over'))
);
CREATE INDEX ix_post_watch_due ON post_watch (look_at, effect_id)
    WHERE state IN ('accepted', 'moving');
CREATE INDEX ix_post_watch_case ON post_watch (case_id);
