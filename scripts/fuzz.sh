#!/usr/bin/env bash
# Fuzzes the readers of files from outside with libFuzzer, each for some seconds (see Fuzz).
#
#   scripts/fuzz.sh                 every reader, 30 s each
#   scripts/fuzz.sh 600 yaml list   these readers, 600 s each
#
# Corpora grow in .fuzz/READER and are used again; an input that ends a reader stays in .fuzz as crash-*, and the
# script fails. FUZZ_READER=yaml Fuzz/.build/release/Fuzz FILE reads one file once more.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly SECONDS_EACH=${1:-30}
shift || true
readonly ALL="image bands mask yaml genotype decoder safetensors model classes list coco \
    log status metrics compare checkpoint search training"

${SWIFT:-swift} build -c release --package-path Fuzz --sanitize fuzzer --product Fuzz
readonly PROGRAM=$PWD/Fuzz/.build/release/Fuzz
mkdir -p .fuzz
failed=
for reader in ${*:-$ALL}; do
    FUZZ_READER=$reader FUZZ_SEEDS=$PWD/.fuzz/seeds-$reader "$PROGRAM"
    mkdir -p ".fuzz/$reader"
    # 1 GiB is far beyond what a small input may ask for; leaks are looked for by other tests.
    if FUZZ_READER=$reader "$PROGRAM" -max_total_time="$SECONDS_EACH" -rss_limit_mb=1024 -malloc_limit_mb=512 \
        -timeout=10 -max_len=8192 -detect_leaks=0 -print_final_stats=1 -seed=1 -artifact_prefix=.fuzz/ \
        -dict=".fuzz/seeds-$reader.dict" ".fuzz/$reader" ".fuzz/seeds-$reader" >".fuzz/$reader.log" 2>&1; then
        echo "fuzz: $reader: $(sed -n 's/^stat::number_of_executed_units: *//p' ".fuzz/$reader.log") inputs," \
            "$(sed -n 's/^stat::peak_rss_mb: *//p' ".fuzz/$reader.log") MB, nothing found"
    else
        echo "fuzz: $reader: failed, see .fuzz/$reader.log"
        failed=1
    fi
done
[ -z "$failed" ]
