#!/usr/bin/env bash
# Images a second of a search by one and by two processes of one thread each, in turns: scaling.sh CAMVID [SECONDS].
# Each process has two images a step. The machine should have nothing else to do.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$1
seconds=${2:-60}
program=.build/release/autodeeplab
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# completed RUN: steps done, as the run's status.json has them.
completed() { sed -n 's/.*"completed":\([0-9]*\).*/\1/p' "$1/status.json" 2>/dev/null || true; }

# measure PROCESSES ROUND
measure() {
    local run=$folder/$1-$2 from to begin end
    $program search --preset camvid-small --data "$data" --output "$run" --quiet --processes "$1" --threads 1 \
        --set search.architectureFrom=0 --set search.batch=$((2 * $1)) >/dev/null 2>&1 &
    # The first steps allocate memory.
    until from=$(completed "$run") && [ "${from:-0}" -ge 3 ]; do sleep 0.2; done
    begin=$(date +%s.%N)
    sleep "$seconds"
    to=$(completed "$run")
    end=$(date +%s.%N)
    kill -TERM $!
    wait $! || true
    awk -v p="$1" -v n="$((to - from))" -v t="$(awk "BEGIN { print $end - $begin }")" \
        'BEGIN { printf "%d process(es): %d steps of %d images in %.1f s: %.3f images/s\n", p, n, 2 * p, t, 2 * p * n / t }'
}

for round in 1 2 3; do
    measure 1 $round
    measure 2 $round
done
