-- A case may pin its own chain of bodies: for flights the place of disruption decides, not the law.
ALTER TABLE cases ADD COLUMN bodies jsonb NOT NULL DEFAULT '[]';
ALTER TABLE cases ALTER COLUMN bodies DROP DEFAULT;
ALTER TABLE cases ADD CONSTRAINT ck_cases_bodies CHECK (
    jsonb_typeof(bodies) = 'array' AND jsonb_array_length(bodies) <= 6
);
