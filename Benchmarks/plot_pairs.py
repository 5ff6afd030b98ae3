"""Test mIOU of the part `budget` of search_study.py: a panel for each data set, a line for each seed.

usage: python3 Benchmarks/plot_pairs.py PLOT.svg TITLE=OUTPUT...

Needs nothing but Python.
"""

import html
import json
import os
import re
import statistics
import sys

from svg import grid, scale, write

ARMS = [("random-long", "random"), ("deeplabv3-long", "DeepLabv3's path"), ("race", "race")]
WIDTH, HEIGHT, MARGIN = 330, 260, 46


def seeds(folder):
    """Test mIOU by arm, of each seed that has all of them."""
    found = {}
    for name in os.listdir(folder):
        if match := re.fullmatch(r"(race|random-long|deeplabv3-long)-(\d+)-test\.json", name):
            with open(os.path.join(folder, name)) as file:
                found.setdefault(int(match[2]), {})[match[1]] = json.load(file)["mIOU"]
    return [found[seed] for seed in sorted(found) if len(found[seed]) == len(ARMS)]


def panel(title, rows, left):
    values = [value for row in rows for value in row.values()]
    y, low, high = scale(values, bottom=HEIGHT - 40, top=40, margin=0.05, least=1e-3)

    def x(arm):
        return left + MARGIN + 30 + arm * (WIDTH - MARGIN - 70) / 2

    parts = [f'<text x="{left + MARGIN}" y="20" font-weight="bold">{html.escape(title)}, {len(rows)} seeds</text>']
    parts += grid(y, low, high, left + MARGIN, left + WIDTH - 10)
    for row in rows:
        places = [(x(arm), y(row[name])) for arm, (name, _) in enumerate(ARMS)]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#9bb" stroke-opacity="0.7"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="#377"/>' for a, b in places]
    for arm, (name, text) in enumerate(ARMS):
        middle = y(statistics.mean(row[name] for row in rows))
        parts.append(f'<line x1="{x(arm) - 16:.1f}" x2="{x(arm) + 16:.1f}" y1="{middle:.1f}" y2="{middle:.1f}" '
                     f'stroke="#c33" stroke-width="3"/><text x="{x(arm):.1f}" y="{HEIGHT - 16}" '
                     f'text-anchor="middle">{html.escape(text)}</text>')
    return parts


def main():
    if len(sys.argv) < 3 or not all("=" in word for word in sys.argv[2:]):
        sys.exit(__doc__.split("\n\n")[1])
    sets = [word.split("=", 1) for word in sys.argv[2:]]
    parts = []
    for index, (title, folder) in enumerate(sets):
        rows = seeds(folder)
        if not rows:
            sys.exit(f"{folder}: holds no seed with a race and both of its rivals")
        parts += panel(title, rows, index * WIDTH)
    write(sys.argv[1], parts, WIDTH * len(sets), HEIGHT)


main()
