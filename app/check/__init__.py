"""The public check of a claim: answers in, a finding out, nothing stored."""
