"""What a mail says: own text, language, kind of answer, money, dates, bounce, trust.

Pure: no database, clock or network; loaded by the parsing child too, so it imports the standard
library and YAML only. The phrases of each language are data (`data/`).
"""
