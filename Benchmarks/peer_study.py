"""Is `autodeeplab run` ahead of segmentation_models.pytorch's networks that get as much of the processor's time?

usage: python3 Benchmarks/peer_study.py OUTPUT DATA CLASSES BUDGET [--seeds 0 1 2] [--peers NAME ...] [--python PYTHON]
       [--program PROGRAM] [--run OPTION ...]

For each seed `autodeeplab run DATA --budget BUDGET --threads 1`, then each peer (names as peer_training.py takes them)
trained for as many seconds of the processor as all of that run took, its plan, measuring and export included; what is
measured and exported does not count for the peers. Crops and batches are those of the run's plan. What is done in OUTPUT
is not done again. At the end: test mIOU seed by seed, and each difference's mean, standard deviation and one-sided paired
t-test.

PYTHON has what peer_training.py needs; this script needs nothing.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

from paired import difference, mean, processor_seconds, result

HERE = os.path.dirname(os.path.abspath(__file__))


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    for name in ("output", "data", "classes", "budget"):
        parser.add_argument(name)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--peers", nargs="+", default=["unet-lite0", "deeplabv3+-lite0"])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--program", default=os.path.join(HERE, "..", ".build", "release", "autodeeplab"))
    parser.add_argument("--run", nargs=argparse.REMAINDER, default=[])
    return parser.parse_args()


def run(options, seed):
    folder = os.path.join(options.output, f"run-{seed}")
    # A run that was stopped has used time that nobody has counted.
    shutil.rmtree(folder, ignore_errors=True)
    begin = processor_seconds()
    subprocess.run([options.program, "run", options.data, "--budget", options.budget, "--threads", "1", "--seed",
                    str(seed), "--output", folder, "--quiet", *options.run], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "metrics.json")) as file:
        metrics = json.load(file)
    return {"mIOU": metrics["mIOU"], "IOU": [entry["iou"] for entry in metrics["classes"]],
            "seconds": processor_seconds() - begin}


def peer(options, name, seed, seconds):
    with open(os.path.join(options.output, f"run-{seed}", "plan.yaml")) as file:
        train = file.read().split("\ntrain:")[1]
    environment = {
        "PEER_RATE": "0.003", **os.environ,
        "PEER_CROP": re.search(r"\n  crop: \[(\d+)", train)[1],
        "PEER_BATCH": re.search(r"\n  batch: (\d+)", train)[1],
    }
    answer = subprocess.run(
        [options.python, os.path.join(HERE, "peer_training.py"), options.data, options.classes, str(seconds / 60), name,
         str(seed), os.path.join(HERE, "..", ".encoders")], env=environment, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout.splitlines()[-1])


def main():
    options = arguments()
    os.makedirs(options.output, exist_ok=True)
    scores = {"run": [], **{name: [] for name in options.peers}}
    for seed in options.seeds:
        own = result(os.path.join(options.output, f"run-{seed}.json"), lambda: run(options, seed))
        scores["run"].append(own["mIOU"])
        print(f"seed {seed}: run {own['mIOU']:.4f} in {own['seconds']:.0f} s of the processor", flush=True)
        for name in options.peers:
            other = result(os.path.join(options.output, f"{name}-{seed}.json"),
                           lambda: peer(options, name, seed, own["seconds"]))
            scores[name].append(other["mIOU"])
            print(f"seed {seed}: {name} {other['mIOU']:.4f}, {other['steps']} steps", flush=True)
    for name, values in scores.items():
        print(f"{name}: mean {mean(values)}")
    for name in options.peers:
        print(f"run - {name}: {difference(scores['run'], scores[name])}")


main()
