"""Mean IoU and milliseconds of ONNX models over a list of images: of one of real numbers and one of integers, say.

    autodeeplab export RUN --preprocess --argmax --output real.onnx
    autodeeplab export RUN --preprocess --argmax --int8 DATA/train --output int8.onnx
    python Benchmarks/onnx_miou.py DATA/test.txt real.onnx int8.onnx [--classes 11] [--ignore 11 255] [--threads 1]

A line of the list names an image and its mask, absolute or from the list's folder. Needs numpy, Pillow and onnxruntime.
"""

import argparse
import pathlib
import time

import numpy
import onnxruntime
from PIL import Image


def read(folder, name):
    path = pathlib.Path(name)
    return Image.open(path if path.exists() else folder / name.lstrip("/"))


def measure(model, pairs, classes, ignored, threads):
    """Mean IoU over the classes that occur, and the median milliseconds of an image."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    counts = numpy.zeros((classes, classes), numpy.int64)
    times = []
    for image, mask in pairs:
        start = time.perf_counter()
        (labels,) = session.run(None, {name: image[None]})
        times.append(time.perf_counter() - start)
        seen = ~numpy.isin(mask, ignored)
        numpy.add.at(counts, (mask[seen], labels[0][seen]), 1)
    right = numpy.diag(counts)
    union = counts.sum(0) + counts.sum(1) - right
    return (right[union > 0] / union[union > 0]).mean(), sorted(times)[len(times) // 2] * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--classes", type=int, default=256)
    parser.add_argument("--ignore", type=int, nargs="*", default=[255])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    folder = options.list.parent
    pairs = []
    for line in options.list.read_text().split("\n"):
        if line.strip():
            image, mask = line.split()
            pairs.append((numpy.asarray(read(folder, image).convert("RGB")), numpy.asarray(read(folder, mask))))
    for model in options.models:
        mean, milliseconds = measure(model, pairs, options.classes, options.ignore, options.threads)
        print(f"{model}: mIOU {mean:.4f} over {len(pairs)} images, {milliseconds:.1f} ms an image")


main()
