"""Every limit of a letter, with its unit and its reason."""

from typing import Final

# Text that goes in. A letter is two pages; these stop abuse, not long stories.
FIELD_BYTES_MAX: Final = 50_000  # UTF-8 bytes of any one text
TEXT_BYTES_MAX: Final = 200_000  # UTF-8 bytes of all texts of one letter: about 2 s of layout
LINE_CHARS_MAX: Final = 200  # characters of a name, an address line, a reference
ADDRESS_LINES_MAX: Final = 7  # lines: what the window of an envelope shows besides the name
CLAIMANTS_MAX: Final = 60  # persons: a coach party
ROWS_MAX: Final = 400  # rows of any one list: 1.6 ms of layout each (5,000 rows took 8 s)
PARAGRAPHS_MAX: Final = 200  # line breaks in one text: 23,000 of them took 97 s
TOKEN_CHARS_MAX: Final = 200  # characters without a blank before blanks are put in
LONG_TEXT_CHARS: Final = 2_000  # characters from which words over TOKEN_PIECE_CHARS are broken
TOKEN_PIECE_CHARS: Final = 40  # characters between those blanks: even forty W fit on a line

# What comes out.
PAGES_MAX: Final = 200  # pages
PDF_BYTES_MAX: Final = 10_000_000  # bytes

# What a render child may use for one letter.
CPU_SECONDS_MAX: Final = 20  # processor seconds
MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024  # bytes of private writable memory
WALL_SECONDS_MAX: Final = 40.0  # seconds: twice the processor budget, for a busy machine
START_SECONDS_MAX: Final = 60.0  # seconds from start to the first warm letter
FRAME_BYTES_MAX: Final = 32_000_000  # bytes of one message between parent and child

# A bundle of exhibits and the child that binds it.
BUNDLE_FILES_MAX: Final = 400  # exhibits
BUNDLE_PAGES_MAX: Final = 2_000  # pages
EXHIBIT_PAGES_MAX: Final = 1_000  # pages of one exhibit
IMAGE_PIXELS_MAX: Final = 100_000_000  # pixels: what a large scan has
IMAGE_PIXELS_KEPT: Final = 3_000_000  # pixels: A4 at 175 dots per inch, enough to read
BUNDLE_BYTES_MAX: Final = 400_000_000  # bytes of one part
BIND_CPU_SECONDS_MAX: Final = 120
BIND_WALL_SECONDS_MAX: Final = 240.0
BIND_MEMORY_BYTES_MAX: Final = 500_000_000
