"""How the time grows with the number of lines, as a picture."""

from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 400, 70, 350, 50
RIGHT = WIDTH - 40
CURVES = [("app", "#7c3aed", lambda run: run.seconds), ("SQL by hand", "#6b7280", lambda run: run.raw)]


def draw(runs):
    """Return the seconds of the app and of SQL by hand over the number of lines, both axes logarithmic, as SVG.

    :param dict runs: ``accrual.Run`` by number of invoice lines
    :rtype: str
    """
    seconds = [get(run) for run in runs.values() for _name, _color, get in CURVES]
    across = _get_scale(runs, LEFT, RIGHT)
    upwards = _get_scale(seconds, BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="13" fill="#374151">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(LEFT, 24, "Accrual by ten rules: seconds over invoice lines", weight="bold"),
        *_draw_axes(across, upwards, runs, seconds),
    ]
    for number, (name, color, get) in enumerate(CURVES):
        points = [(across(lines), upwards(get(run)), get(run)) for lines, run in sorted(runs.items())]
        parts += _draw_curve(points, color, above=not number)
        parts += _draw_legend(name, color, LEFT + 20, TOP + 20 + 20 * number)
    return "\n".join([*parts, "</svg>\n"])


def _get_scale(values, first, last):
    """Return a function that says where a value lies, between the powers of ten around all of them."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return lambda value: first + (log10(value) - low) / max(1, high - low) * (last - first)


def _draw_axes(across, upwards, runs, seconds):
    """Return both axes with what they are about: the sizes, and powers of ten of a second."""
    yield f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#9ca3af"/>'
    for lines in runs:
        yield _text(across(lines), BOTTOM + 20, f"{lines:,}", anchor="middle")
    for power in range(floor(log10(min(seconds))), ceil(log10(max(seconds))) + 1):
        y = upwards(10**power)
        yield f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="#e5e7eb"/>'
        yield _text(LEFT - 8, y + 4, f"{10**power:g} s", anchor="end")


def _draw_curve(points, color, above):
    """Return a curve with its seconds, above it or below."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _seconds in points)
    yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
    for x, y, seconds in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>'
        shift, anchor = (-8, "end") if above else (8, "start")
        yield _text(x + shift, y + 1.5 * shift + 4, f"{seconds:.1f}", anchor=anchor)


def _draw_legend(name, color, x, y):
    yield f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{color}"/>'
    yield _text(x + 12, y, name)


def _text(x, y, text, anchor="start", weight="normal"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{text}</text>'
