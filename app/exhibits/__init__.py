"""What proves what: the papers of a case as exhibits, the proof matrix, the bundle."""
