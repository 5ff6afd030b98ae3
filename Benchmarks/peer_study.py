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
import math
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys

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


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def result(name, make):
    """What `make` answers, kept in a file once it is there."""
    if not os.path.exists(name):
        answer = make()
        with open(name + ".part", "w") as file:
            json.dump(answer, file)
        os.replace(name + ".part", name)
    with open(name) as file:
        return json.load(file)


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


def one_sided_p(t, freedom):
    """Share of Student's distribution above t, by Simpson's rule over the angle: P(T > t) = C times the integral of cos^(n-1)."""
    count, begin, end = 2000, math.atan(t / math.sqrt(freedom)), math.pi / 2
    width = (end - begin) / count
    values = [abs(math.cos(begin + index * width)) ** (freedom - 1) for index in range(count + 1)]
    area = width / 3 * (values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2]))
    return area * math.gamma((freedom + 1) / 2) / (math.sqrt(math.pi) * math.gamma(freedom / 2))


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
        spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
        print(f"{name}: mean {statistics.mean(values):.4f}{spread}")
    for name in options.peers:
        differences = [own - other for own, other in zip(scores["run"], scores[name])]
        mean = statistics.mean(differences)
        if len(differences) > 1 and (spread := statistics.stdev(differences)) > 0:
            t = mean / (spread / math.sqrt(len(differences)))
            freedom = len(differences) - 1
            print(f"run - {name}: {mean:+.4f} ± {spread:.4f}, t({freedom}) = {t:.2f},"
                  f" one-sided p = {one_sided_p(t, freedom):.4f}")


main()
