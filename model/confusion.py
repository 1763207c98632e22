"""The confusion matrix as a picture."""

import io

from PIL import Image, ImageDraw, ImageFont

from model.metrics import Metrics

CELL, FONT = 44, 13
DARK = (26, 64, 128)


def picture(metrics: Metrics) -> bytes:
    """A PNG: a row for each true class, a column for each predicted one; the darker, the more of the row."""
    font = ImageFont.load_default(FONT)
    labels = [each.label for each in metrics.per_class]
    margin = 12 + max(round(font.getlength(label)) for label in labels)
    side = CELL * len(labels)
    image = Image.new("RGB", (margin + side + 8, margin + side + 8), "white")
    draw = ImageDraw.Draw(image)
    for row, counts in enumerate(metrics.confusion_matrix):
        y = margin + row * CELL
        draw.text((margin - 6, y + CELL // 2), labels[row], "black", font, anchor="rm")
        for column, count in enumerate(counts):
            x, share = margin + column * CELL, count / max(1, sum(counts))
            shade = tuple(round(255 + (dark - 255) * share) for dark in DARK)
            draw.rectangle((x, y, x + CELL - 2, y + CELL - 2), fill=shade)
            if count:
                ink = "white" if share > 0.5 else "black"
                draw.text((x + CELL // 2, y + CELL // 2), str(count), ink, font, anchor="mm")
    names = Image.new("RGB", (margin - 6, side), "white")
    writer = ImageDraw.Draw(names)
    for column, label in enumerate(labels):
        writer.text((0, column * CELL + CELL // 2), label, "black", font, anchor="lm")
    image.paste(names.transpose(Image.Transpose.ROTATE_90), (margin, 0))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
