"""Open deadlines counted again after holidays or a rule changed: shown, then moved on approval."""
