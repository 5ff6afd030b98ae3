#!/usr/bin/env bash
# Is a race worth its time? For each seed: a race; a uniformly random network, and DeepLabv3's path, each of the same
# multiply-adds and trained for as many epochs as all candidates of the race together. Same seeds, same data order.
#
#   Benchmarks/race-study.sh OUTPUT EPOCHS "SEEDS" OPTIONS...
#
# EPOCHS are the winner's; OPTIONS are those of `autodeeplab search`, as --preset NAME --data DIR --threads 1. What is done
# in OUTPUT is not done again. At the end: test mIOU seed by seed, and mean, standard deviation and Student's t of the
# differences between the race and each rival.
set -euo pipefail
readonly OUTPUT=$1 EPOCHS=$2 SEEDS=$3
shift 3
readonly PROGRAM=${PROGRAM:-$(cd "$(dirname "$0")/.." && pwd)/.build/release/autodeeplab}
# 9 candidates for a ninth, 3 from there to a third, 1 from there to the end.
readonly ALL=$((EPOCHS / 9 * 9 + 3 * (EPOCHS / 3 - EPOCHS / 9) + EPOCHS - EPOCHS / 3))
layers=$("$PROGRAM" search "$@" --print-config | sed -n 's/^  layers: //p' | head -1)

run() { # NAME COMMAND...
    local name=$OUTPUT/$1
    shift
    [ -f "$name.json" ] && return
    "$PROGRAM" "$@" --output "$name" --quiet $([ -d "$name" ] && echo --resume) >/dev/null
    "$PROGRAM" evaluate "$name" --split test --quiet --json >"$name.part" && mv "$name.part" "$name.json"
}

mkdir -p "$OUTPUT"
for seed in $SEEDS; do
    run "race-$seed" search "$@" --seed "$seed" --set search.method=race --set search.candidates=9 \
        --set search.reduction=3 --set train.epochs="$EPOCHS"
    run "random-$seed" search "$@" --seed "$seed" --set search.method=random --set search.candidates=1 \
        --set train.epochs="$ALL"
    run "deeplabv3-$seed" train "$@" --seed "$seed" --genotype "deeplabv3:$layers" --set train.epochs="$ALL"
done

miou() { sed -n 's/^  "mIOU" *: *\([0-9.]*\).*/\1/p' "$OUTPUT/$1.json" | tail -1; }
printf '%-6s %-10s %-10s %-10s\n' seed race random deeplabv3
for seed in $SEEDS; do
    printf '%-6s %-10.4f %-10.4f %-10.4f\n' "$seed" "$(miou "race-$seed")" "$(miou "random-$seed")" \
        "$(miou "deeplabv3-$seed")"
done | tee "$OUTPUT/study.txt"
for column in 3 4; do
    awk -v c=$column -v name="$([ $column = 3 ] && echo random || echo deeplabv3)" '
        { d[NR] = $2 - $c; sum += d[NR] }
        END {
            mean = sum / NR
            for (i in d) square += (d[i] - mean) ^ 2
            sd = NR > 1 ? sqrt(square / (NR - 1)) : 0
            printf "race - %s: %+.4f, standard deviation %.4f, t(%d) = %s\n", name, mean, sd, NR - 1,
                sd > 0 ? sprintf("%.2f", mean / (sd / sqrt(NR))) : "-"
        }' "$OUTPUT/study.txt"
done
