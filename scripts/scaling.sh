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

# progress RUN: steps done, as the run's status.json has them, and when that was written.
progress() {
    local steps
    steps=$(sed -n 's/.*"completed":\([0-9]*\).*/\1/p' "$1/status.json" 2>/dev/null) || true
    echo "${steps:-0} $(stat -c %.9Y "$1/status.json" 2>/dev/null || echo 0)"
}

# measure PROCESSES ROUND
measure() {
    local run=$folder/$1-$2 from to
    $program search --preset camvid-small --data "$data" --output "$run" --quiet --processes "$1" --threads 1 \
        --set search.architectureFrom=0 --set search.batch=$((2 * $1)) >/dev/null 2>&1 &
    # The first steps allocate memory and fill the cache of decoded images.
    until from=$(progress "$run") && [ "${from% *}" -ge 20 ]; do sleep 0.2; done
    sleep "$seconds"
    to=$(progress "$run")
    kill -TERM $!
    wait $! || true
    echo "$1 $from $to" | awk '{ n = $4 - $2; t = $5 - $3
        printf "%d process(es): %d steps of %d images in %.1f s: %.3f images/s\n", $1, n, 2 * $1, t, 2 * $1 * n / t }'
}

for round in 1 2 3; do
    measure 1 $round
    measure 2 $round
done
