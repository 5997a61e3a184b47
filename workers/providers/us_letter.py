"""Pages of any size on sheets of 8.5 x 11 inch, for a printer that takes no other."""

from __future__ import annotations

import io

import pikepdf

WIDTH, HEIGHT = 612, 792  # points


def on_us_letter(pdf: bytes) -> bytes:
    """Each page scaled to fit, in the middle of its sheet; the same bytes for the same bytes (the
    library's own overlay draws its names, so a repetition would be another letter).

    Raises pikepdf.PdfError for what is no PDF.
    """
    with pikepdf.open(io.BytesIO(pdf)) as given, pikepdf.new() as made:
        for page in given.pages:
            form = made.copy_foreign(page.as_form_xobject())
            left, bottom, right, top = (float(edge) for edge in form.BBox.as_list())
            width, height = right - left, top - bottom
            scale = min(WIDTH / width, HEIGHT / height)
            x = (WIDTH - width * scale) / 2 - left * scale
            y = (HEIGHT - height * scale) / 2 - bottom * scale
            sheet = made.add_blank_page(page_size=(WIDTH, HEIGHT))
            sheet.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Page=form))
            drawn = f"q {scale:.6f} 0 0 {scale:.6f} {x:.3f} {y:.3f} cm /Page Do Q"
            sheet.obj.Contents = made.make_stream(drawn.encode())
        out = io.BytesIO()
        made.save(out, deterministic_id=True)
        return out.getvalue()
