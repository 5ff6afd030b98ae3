"""The work of Sources/Loading by Pillow and numpy, on one thread: images a second of processor time.

usage: python pillow_loading.py CAMVID [CROP] [RESIZE]     (needs: pip install pillow numpy)
"""

import os
import random
import sys
import time

import numpy as np
import PIL
from PIL import Image

SCALES = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
VOID = 11


def load(image_path, mask_path, crop, resize):
    """One training crop: float32 HWC in -1...1, padded by 0, and uint8 labels, padded by 255."""
    image = Image.open(image_path).convert("RGB")
    mask = Image.open(mask_path)
    labels = np.asarray(mask)
    if labels.max() > VOID:
        raise ValueError(f"{mask_path}: label {labels.max()}")
    lookup = np.arange(256, dtype=np.uint8)
    lookup[VOID] = 255
    mask = Image.fromarray(lookup[labels])
    scale = resize * random.choice(SCALES)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if size != image.size:
        image = image.resize(size, Image.BILINEAR)
        mask = mask.resize(size, Image.NEAREST)
    left = random.randint(0, max(0, image.width - crop))
    top = random.randint(0, max(0, image.height - crop))
    box = (left, top, min(left + crop, image.width), min(top + crop, image.height))
    pixels = np.asarray(image.crop(box))
    labels = np.asarray(mask.crop(box))
    if random.random() < 0.5:
        pixels, labels = pixels[:, ::-1], labels[:, ::-1]
    out = np.zeros((crop, crop, 3), np.float32)
    out[: pixels.shape[0], : pixels.shape[1]] = pixels.astype(np.float32) * np.float32(2 / 255) - 1
    target = np.full((crop, crop), 255, np.uint8)
    target[: labels.shape[0], : labels.shape[1]] = labels
    return out, target


def main():
    root = sys.argv[1]
    crop = int(sys.argv[2]) if len(sys.argv) > 2 else 321
    resize = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    with open(os.path.join(root, "train.txt")) as lines:
        pairs = [[os.path.join(root, part) for part in line.split()] for line in lines if line.strip()]
    random.seed(1)
    for pair in pairs:
        load(*pair, crop, resize)
    rates = []
    for _ in range(5):
        start = time.thread_time()
        for pair in random.sample(pairs, len(pairs)):
            load(*pair, crop, resize)
        rates.append(len(pairs) / (time.thread_time() - start))
    rates.sort()
    print(f"Pillow {PIL.__version__}, numpy {np.__version__}, {len(pairs)} pairs, crop {crop}, resize {resize}")
    print(f"decoding each image     median {rates[2]:.1f} images/s of processor time, {rates[0]:.1f} to {rates[-1]:.1f}")


if __name__ == "__main__":
    main()
