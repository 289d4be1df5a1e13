"""Charts as SVG: bars of ratios, and lines of growth."""

import math
from html import escape

_STYLE = ("<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}"
          ".end{text-anchor:end}.middle{text-anchor:middle}</style>")
BAR, GAP, LEFT, WIDTH, RIGHT = 14, 6, 440, 420, 50
RUST_COLOUR, C_COLOUR, BAD_COLOUR, LINE_COLOUR = "#b7410e", "#4a6fa5", "#888", "#bbb"


def _svg(width, height, parts):
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">', _STYLE,
        f'<rect width="{width}" height="{height}" fill="#fff"/>', *parts, "</svg>")) + "\n"


def _text(x, y, text, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'


def _line(x1, y1, x2, y2, colour=LINE_COLOUR):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}"/>')


def bars(title, rows):
    """Horizontal bars; ROWS are pairs of a label and a ratio. The scale is logarithmic and
    starts at one half, so that twice as fast and half as fast look alike."""
    if not rows:
        return ""
    top = max(2.0, *(ratio for _, ratio in rows))
    least, span = math.log(0.5), math.log(top) - math.log(0.5)

    def x_of(ratio):
        return LEFT + WIDTH * (math.log(max(ratio, 0.5)) - least) / span

    height = 60 + len(rows) * (BAR + GAP)
    parts = [_text(10, 20, title, "title")]
    mark = 0.5
    while mark <= top * 1.0001:
        parts.append(_line(x_of(mark), 42, x_of(mark), height - 8))
        parts.append(_text(x_of(mark), 38, f"{mark:g}", "middle"))
        mark *= 2
    for i, (label, ratio) in enumerate(rows):
        y = 50 + i * (BAR + GAP)
        start, end = sorted((x_of(1), x_of(ratio)))
        colour = RUST_COLOUR if ratio >= 1 else BAD_COLOUR
        parts.append(_text(LEFT - 8, y + BAR - 3, label, "end"))
        parts.append(f'<rect x="{start:.1f}" y="{y}" width="{max(end - start, 1):.1f}" '
                     f'height="{BAR}" fill="{colour}"/>')
        parts.append(_text(max(end, x_of(1)) + 4, y + BAR - 3, f"{ratio:.1f}"))
    return _svg(LEFT + WIDTH + RIGHT, height, parts)


def _panel(left, top, title, series, width=320, height=120):
    """One small plot with logarithmic axes; SERIES are colour and (size, cost)."""
    points = [point for _, line in series for point in line]
    sizes = [math.log10(size) for size, _ in points]
    costs = [math.log10(cost) for _, cost in points]
    low, high = math.floor(min(costs)), max(math.ceil(max(costs)), math.floor(min(costs)) + 1)
    first, last = min(sizes), max(max(sizes), min(sizes) + 1)

    def place(point):
        return (left + width * (math.log10(point[0]) - first) / (last - first),
                top + height - height * (math.log10(point[1]) - low) / (high - low))

    parts = [_text(left, top - 8, title, "title"),
             _line(left, top + height, left + width, top + height),
             _line(left, top, left, top + height),
             _text(left - 4, top + height, f"1e{low}", "end"),
             _text(left - 4, top + 8, f"1e{high}", "end"),
             _text(left, top + height + 14, f"{10 ** first:g}"),
             _text(left + width, top + height + 14, f"{10 ** last:g}", "end")]
    for colour, line in series:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, line))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                     'stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'
                  for x, y in map(place, line)]
    return parts


def lines(title, panels):
    """Small plots, two per row; PANELS are a title and its series."""
    if not panels:
        return ""
    parts = [_text(10, 20, title, "title")]
    for i, (name, series) in enumerate(panels):
        parts += _panel(50 + i % 2 * 400, 60 + i // 2 * 175, name, series)
    return _svg(800, 60 + (len(panels) + 1) // 2 * 175, parts)
