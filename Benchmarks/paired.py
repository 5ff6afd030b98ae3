"""Paired comparisons: the same seeds for all, each difference with one-sided tests by Student and by Wilcoxon."""

import json
import math
import os
import resource
import statistics


def result(name, make):
    """What `make` answers, kept in a file once it is there."""
    if not os.path.exists(name):
        answer = make()
        with open(name + ".part", "w") as file:
            json.dump(answer, file)
        os.replace(name + ".part", name)
    with open(name) as file:
        return json.load(file)


def processor_seconds():
    """Seconds of the processor that the children have used which have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def one_sided_p(t, freedom):
    """Share of Student's distribution above t, by Simpson's rule over the angle: P(T > t) = C times the integral of cos^(n-1)."""
    count, begin, end = 2000, math.atan(t / math.sqrt(freedom)), math.pi / 2
    width = (end - begin) / count
    values = [abs(math.cos(begin + index * width)) ** (freedom - 1) for index in range(count + 1)]
    area = width / 3 * (values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2]))
    return area * math.gamma((freedom + 1) / 2) / (math.sqrt(math.pi) * math.gamma(freedom / 2))


def signed_rank_p(pairs):
    """Wilcoxon's one-sided signed-rank test, exactly: the share of all signs whose sum of positive ranks is as large."""
    pairs = [pair for pair in pairs if pair != 0]
    sizes = sorted(abs(pair) for pair in pairs)
    # Equal sizes share the mean of their ranks; doubled, all are whole numbers.
    ranks = [sizes.index(abs(pair)) + 1 + sizes.index(abs(pair)) + sizes.count(abs(pair)) for pair in pairs]
    counts = {0: 1}
    for rank in ranks:
        grown = dict(counts)
        for total, count in counts.items():
            grown[total + rank] = grown.get(total + rank, 0) + count
        counts = grown
    observed = sum(rank for pair, rank in zip(pairs, ranks) if pair > 0)
    return sum(count for total, count in counts.items() if total >= observed) / 2 ** len(pairs)


def mean(values):
    """Mean and standard deviation in words."""
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def difference(ours, theirs):
    """How far the ones are ahead of the others, pair by pair, in words."""
    pairs = [own - other for own, other in zip(ours, theirs)]
    text = f"{statistics.mean(pairs):+.4f}"
    if len(pairs) < 2 or (spread := statistics.stdev(pairs)) == 0:
        return text
    freedom = len(pairs) - 1
    t = statistics.mean(pairs) / (spread / math.sqrt(len(pairs)))
    return (f"{text} ± {spread:.4f}, t({freedom}) = {t:.2f}, one-sided p = {one_sided_p(t, freedom):.4f}, "
            f"signed ranks p = {signed_rank_p(pairs):.4f}")
