"""Filing a case: drafts, submission, what is missing."""
