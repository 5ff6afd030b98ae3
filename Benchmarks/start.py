"""Seconds from the start of the command to its end, by the clock and of the processor: answers that need no tensor, and
`doctor`, which loads libtorch.

    python Benchmarks/start.py [PROGRAM] [--repetitions N]
"""

import argparse
import resource
import subprocess
import time

ANSWERS = [
    ["--version"],
    ["--help"],
    ["inspect", "auto-deeplab"],
    ["train", "--no-such-option"],
    ["doctor", "--set", "no=such"],
    ["doctor"],
]


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(command, repetitions):
    clock, processor = [], []
    for _ in range(repetitions):
        begun, used = time.perf_counter(), processor_seconds()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        clock.append(time.perf_counter() - begun)
        processor.append(processor_seconds() - used)
    return sorted(clock), sorted(processor)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", default=".build/release/autodeeplab")
    parser.add_argument("--repetitions", type=int, default=20)
    arguments = parser.parse_args()
    print(f"{'':28}{'clock: least':>14}{'median':>9}{'processor: median':>20}")
    for answer in ANSWERS:
        clock, processor = measure([arguments.program, *answer], arguments.repetitions)
        middle = arguments.repetitions // 2
        print(f"{' '.join(answer):28}{clock[0]:14.3f}{clock[middle]:9.3f}{processor[middle]:20.3f}")


if __name__ == "__main__":
    main()
