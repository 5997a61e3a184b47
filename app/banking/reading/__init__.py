"""What a bank's file says, exactly and whole: pure reading, no database, nothing posted here.

`reader.read_file` takes camt.053, .052 and .054 (versions 01 to 13), MT940 and MT942, or a ZIP of
them; `gate` says which of their statements may be posted and why another may not.
"""
