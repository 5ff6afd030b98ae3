"""What plots of values over columns have in common, as SVG; needs nothing but Python."""


def scale(values, bottom, top, margin, least):
    """Where values lie between two heights in pixels, with an edge of a share of their range, or of `least`.

    Returns a function of a value, the lowest value and the highest one.
    """
    low, high = min(values), max(values)
    edge = max(margin * (high - low), least)
    low, high = low - edge, high + edge
    return lambda value: bottom - (value - low) / (high - low) * (bottom - top), low, high


def grid(y, low, high, left, right):
    """Five lines across, each with its value in front of it."""
    values = [low + (high - low) * step / 4 for step in range(5)]
    return [f'<line x1="{left}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
            f'stroke="#ddd"/><text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end" '
            f'fill="#555">{value:.2f}</text>' for value in values]


def write(path, parts, width, height):
    """Writes a picture on white."""
    begin = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>')
    with open(path, "w") as file:
        file.write("\n".join([begin, *parts, "</svg>"]) + "\n")
