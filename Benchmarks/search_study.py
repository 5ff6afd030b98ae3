"""Does a search decide anything, and is it worth its time? Searched networks against others with the same seeds and data.

usage: python3 Benchmarks/search_study.py OUTPUT CONFIG [--seeds 0 1 2] [--parts decisions budget] [--program PROGRAM]
       [--set KEY=VALUE ...]

CONFIG is a configuration of `autodeeplab` with the data, a search by the paper's method, and a training.

decisions: for each seed the paper's search, the same with each option that is to make it decide, and with all of them; every
network that they find, uniformly random ones, random cells on the searched path and on a path of noise (sigma 0.15), the
searched cell on a random path, and DeepLabv3's path, all of the same multiply-adds and trained alike. Then how far the seeds
agree about path and operators, against chance.

budget: for each seed a race of four in equal time, and its rivals, trained for as much of the processor's time as all of the
race took: a uniformly random network and DeepLabv3's path, of the same multiply-adds.

One thread. What is done in OUTPUT is not done again. Needs nothing but Python.
"""

import argparse
import itertools
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys

from paired import difference, mean, processor_seconds, result

HERE = os.path.dirname(os.path.abspath(__file__))
DECIDED = ["search.architecture.weightDecay=0", "search.architecture.firstLayer=carried", "search.resizePrevious=true",
           "search.weights.optimizer=adamw", "search.weights.learningRate=0.006", "search.loss=training"]
SEARCHES = {
    "paper": [],
    "decay-0": DECIDED[:1],
    "carried": DECIDED[1:2],
    "resized": DECIDED[2:3],
    "adamw": DECIDED[3:],
    "entropy": ["search.architecture.entropy=1"],
    "temperature": ["search.architecture.temperature=[5,0.5]"],
    "all": DECIDED + ["search.architecture.entropy=1", "search.architecture.path=balanced"],
}


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("output")
    parser.add_argument("config")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--parts", nargs="+", choices=["decisions", "budget"], default=["decisions", "budget"])
    parser.add_argument("--program", default=os.path.join(HERE, "..", ".build", "release", "autodeeplab"))
    parser.add_argument("--set", nargs="+", action="append", default=[])
    return parser.parse_args()


class Study:
    def __init__(self, options):
        self.options = options
        settings = [word for words in options.set for word in words]
        self.shared = ["--config", options.config, "--threads", "1", *(f"--set={word}" for word in settings)]
        text = self.call("search", *self.shared, "--print-config")
        self.layers, self.blocks = (int(re.search(rf"\n  {name}: (\d+)", text)[1]) for name in ("layers", "blocks"))
        self.known = f"deeplabv3:{self.layers}"

    def place(self, *names):
        return os.path.join(self.options.output, *names)

    def call(self, *words):
        done = subprocess.run([self.options.program, *words], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def timed(self, name, *words):
        """Runs a command with a folder of its own; how long it took of the processor's time."""
        def make():
            # A run that was stopped has used time that nobody has counted.
            shutil.rmtree(self.place(name), ignore_errors=True)
            if os.path.exists(test := self.place(name + "-test.json")):
                os.remove(test)
            begin = processor_seconds()
            self.call(*words, "--output", self.place(name), "--quiet")
            return {"seconds": processor_seconds() - begin}
        return result(self.place(name + ".json"), make)

    # Decisions

    def decisions(self, seed):
        """Test mIOU of every network, by name, and the processor's seconds of the searches."""
        seconds, found, networks = {}, {}, [self.known]
        for name, settings in SEARCHES.items():
            run = f"{name}-{seed}"
            words = [f"--set={word}" for word in settings]
            seconds[name] = self.timed(run, "search", *self.shared, *words, "--seed", str(seed))["seconds"]
            found[name] = json.loads(self.call("decode", self.place(run)))
            networks.append(self.genotype(name, seed, found[name]))
        paper = found["paper"]
        balanced = json.loads(self.call("decode", self.place(f"paper-{seed}"), "--path", "balanced"))
        networks.append(self.genotype("balanced", seed, balanced))
        drawn = self.place(f"drawn-{seed}")
        if not os.path.exists(drawn):
            self.call("sample", "--count", "2", "--seed", str(seed), "--layers", str(self.layers), "--blocks",
                      str(self.blocks), "--output", drawn)
        draws = []
        for name in sorted(os.listdir(drawn)):
            with open(os.path.join(drawn, name)) as file:
                draws.append(json.load(file))
        noise = path_of_noise(self.layers, random.Random(seed))
        networks += [
            self.genotype("random", seed, draws[0]), self.genotype("random-2", seed, draws[1]),
            self.genotype("searched-path", seed, {**draws[0], "path": paper["path"]}),
            self.genotype("searched-cell", seed, {**paper, "path": draws[0]["path"]}),
            self.genotype("noise-path", seed, {**draws[0], "path": noise}),
        ]
        table = self.place(f"compared-{seed}")
        self.call("compare", *networks, *self.shared, "--seed", str(seed), "--equal-multiply-adds", "--output", table,
                  "--quiet")
        with open(os.path.join(table, "compare.json")) as file:
            scores = {entry["name"]: entry["mIOU"] for entry in json.load(file)["networks"]}
        return {re.sub(rf"-{seed}$", "", name): value for name, value in scores.items()}, seconds

    def genotype(self, name, seed, content):
        """A genotype file whose name says what it is."""
        file = self.place("genotypes", f"{name}-{seed}.json")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w") as stream:
            json.dump(content, stream)
        return file

    def agreement(self, name, seeds):
        """Shares of layers, and of branches, in which two seeds agree, over all pairs of them."""
        found = []
        for seed in seeds:
            with open(self.place("genotypes", f"{name}-{seed}.json")) as file:
                found.append(json.load(file))
        pairs = list(itertools.combinations(found, 2))
        layers = [a == b for one, other in pairs for a, b in zip(one["path"], other["path"])]
        branches = [branch in theirs for one, other in pairs
                    for ours, theirs in zip(one["cell"], other["cell"]) for branch in ours]
        return sum(layers) / len(layers), sum(branches) / len(branches)

    # Budget

    def budget(self, seed):
        """Test mIOU of a race and of its rivals, and the processor's seconds of each."""
        words = ["--seed", str(seed)]
        race = self.measured(
            f"race-{seed}", "search", *words, "--set=search.method=race", "--set=search.equalTime=true",
            "--set=search.candidates=4", "--set=search.reduction=9")
        rivals = {
            "random": ["search", *words, "--set=search.method=random", "--set=search.candidates=1"],
            "deeplabv3": ["train", *words, "--genotype", self.known],
        }
        found = {"race": race}
        for name, words in rivals.items():
            epochs = self.epochs(f"{name}-short-{seed}", race["seconds"], words)
            found[name] = self.measured(f"{name}-long-{seed}", *words, f"--set=train.epochs={epochs}")
        return found

    def epochs(self, name, seconds, words):
        """How many epochs a training is to have to take so long."""
        short, longer = 1, 5
        once, again = (
            self.timed(f"{name}-{count}", words[0], *self.shared, *words[1:], f"--set=train.epochs={count}")["seconds"]
            for count in (short, longer))
        epoch = max(again - once, 0.1) / (longer - short)
        return max(1, round(short + (seconds - once) / epoch))

    def measured(self, name, verb, *words):
        """A run with its seconds and its test mIOU."""
        seconds = self.timed(name, verb, *self.shared, *words)["seconds"]
        test = result(self.place(name + "-test.json"), lambda: json.loads(
            self.call("evaluate", self.place(name), "--split", "test", "--threads", "1", "--quiet", "--json")))
        return {"mIOU": test["mIOU"], "seconds": seconds}


def path_of_noise(layers, generator):
    """The most probable path where beta is noise of deviation 0.15."""
    best = {0: (0.0, [])}
    for layer in range(1, layers + 1):
        reached = {}
        for level, (score, path) in sorted(best.items()):
            targets = [target for target in (level - 1, level, level + 1) if 0 <= target <= min(3, layer)]
            logits = [generator.gauss(0, 0.15) for _ in targets]
            total = math.log(sum(map(math.exp, logits)))
            for target, logit in zip(targets, logits):
                candidate = (score + logit - total, path + [4 << target])
                if target not in reached or candidate[0] > reached[target][0]:
                    reached[target] = candidate
        best = reached
    return max(best.values(), key=lambda entry: entry[0])[1]


def show_decisions(study, seeds):
    scores, seconds = {}, {}
    for seed in seeds:
        found, taken = study.decisions(seed)
        print(f"seed {seed}: " + ", ".join(f"{name} {value:.4f}" for name, value in found.items()), flush=True)
        for name, value in found.items():
            scores.setdefault(name, []).append(value)
        for name, value in taken.items():
            seconds.setdefault(name, []).append(value)
    chance = [(one + other) / 2 for one, other in zip(scores["random"], scores["random-2"])]
    print("\ntest mIOU, and how far ahead of the mean of two random networks")
    for name, values in scores.items():
        time = f", {sum(seconds[name]) / len(seconds[name]):.0f} s of search" if name in seconds else ""
        print(f"  {name}: {mean(values)}; {difference(values, chance)}{time}")
    if len(seeds) > 1:
        print("\nshares of layers and of branches in which two seeds agree")
        for name in [*SEARCHES, "balanced", "random", "noise-path"]:
            layers, branches = study.agreement(name, seeds)
            print(f"  {name}: {layers:.2f}, {branches:.2f}")


def show_budget(study, seeds):
    scores = {}
    for seed in seeds:
        found = study.budget(seed)
        print(f"seed {seed}: " + ", ".join(
            f"{name} {value['mIOU']:.4f} in {value['seconds']:.0f} s" for name, value in found.items()), flush=True)
        for name, value in found.items():
            scores.setdefault(name, []).append(value["mIOU"])
    print("\ntest mIOU")
    for name, values in scores.items():
        print(f"  {name}: {mean(values)}")
    for name in list(scores)[1:]:
        print(f"  race - {name}: {difference(scores['race'], scores[name])}")


def main():
    options = arguments()
    os.makedirs(options.output, exist_ok=True)
    study = Study(options)
    for part in options.parts:
        {"decisions": show_decisions, "budget": show_budget}[part](study, options.seeds)


main()
