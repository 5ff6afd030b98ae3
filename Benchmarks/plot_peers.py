"""Test mIOU of peer_study.py's runs and peers: a panel for each data set, a column for each budget, a point for each seed.

usage: python3 Benchmarks/plot_peers.py PLOT.svg TITLE/COLUMN=OUTPUT...

TITLE is the panel's, COLUMN says which budget and processor, and OUTPUT is a folder of peer_study.py. A bar is the seeds'
mean. Needs nothing but Python.
"""

import html
import json
import os
import re
import statistics
import sys

from svg import grid, scale, write

COLOURS = ["#c33", "#377", "#b80", "#759", "#555"]
NAMES = {
    "run": "run", "unet-resnet18": "U-Net, ResNet-18", "deeplabv3+-mobilenetv2": "DeepLabv3+, MobileNetV2",
    "unet-lite0": "U-Net, Lite0", "deeplabv3+-lite0": "DeepLabv3+, Lite0",
}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 360, 300, 46, 34, 62


def scores(folder):
    """Test mIOU of each seed that is measured, by the network's name."""
    found = {}
    for name in sorted(os.listdir(folder)):
        if match := re.fullmatch(r"(.+)-(\d+)\.json", name):
            with open(os.path.join(folder, name)) as file:
                found.setdefault(match[1], []).append(json.load(file)["mIOU"])
    return {name: found[name] for name in NAMES if name in found}


def panel(title, columns, left, names):
    values = [value for _, found in columns for list in found.values() for value in list]
    y, low, high = scale(values, bottom=HEIGHT - BOTTOM, top=TOP, margin=0.06, least=5e-3)
    parts = [f'<text x="{left + LEFT}" y="18" font-weight="bold">{html.escape(title)}, test mIOU</text>']
    parts += grid(y, low, high, left + LEFT, left + WIDTH - 10)
    room = (WIDTH - LEFT - 10) / len(columns)
    for index, (column, found) in enumerate(columns):
        begin = left + LEFT + index * room
        for place, name in enumerate(found):
            x = begin + room * (place + 0.5) / len(found)
            colour = COLOURS[names.index(name)]
            middle = y(statistics.mean(found[name]))
            parts.append(f'<line x1="{x - 16:.1f}" x2="{x + 16:.1f}" y1="{middle:.1f}" y2="{middle:.1f}" '
                         f'stroke="{colour}" stroke-width="3"/>')
            parts += [f'<circle cx="{x:.1f}" cy="{y(value):.1f}" r="3.5" fill="{colour}" fill-opacity="0.6"/>'
                      for value in found[name]]
        parts.append(f'<text x="{begin + room / 2:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                     f'{html.escape(column)}</text>')
    return parts


def main():
    if len(sys.argv) < 3 or not all(re.fullmatch(r"[^/=]+/[^=]+=.+", word) for word in sys.argv[2:]):
        sys.exit(__doc__.split("\n\n")[1])
    panels = {}
    for word in sys.argv[2:]:
        heading, folder = word.split("=", 1)
        title, column = heading.split("/", 1)
        found = scores(folder)
        if not found:
            sys.exit(f"{folder}: holds no result of peer_study.py")
        panels.setdefault(title, []).append((column, found))
    names = [name for name in NAMES if any(name in found for columns in panels.values() for _, found in columns)]
    parts = []
    for index, (title, columns) in enumerate(panels.items()):
        parts += panel(title, columns, index * WIDTH, names)
    x = LEFT
    for index, name in enumerate(names):
        parts.append(f'<rect x="{x}" y="{HEIGHT - 26}" width="10" height="10" fill="{COLOURS[index]}"/>'
                     f'<text x="{x + 16}" y="{HEIGHT - 17}">{html.escape(NAMES[name])}</text>')
        x += 40 + 7 * len(NAMES[name])
    write(sys.argv[1], parts, WIDTH * len(panels), HEIGHT)


main()
