#!/usr/bin/env bash
# Runs the tests that are built as other machines would: with the instructions of older processors, and with other
# numbers of threads. Arguments go to `swift test`, as --filter NAME. What fails is shown; the status tells if any did.
set -uo pipefail
cd "$(dirname "$0")/.."

readonly SWIFT=${SWIFT:-swift}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# run VARIABLE=VALUE...
run() {
    printf '== %s\n' "$*"
    if env "$@" "$SWIFT" test -c release --skip-build "${ARGUMENTS[@]+"${ARGUMENTS[@]}"}" >"$log" 2>&1; then
        grep 'Test run with' "$log"
    else
        grep -E -A 3 'recorded an issue|error:|Test run with' "$log" || tail -n 20 "$log"
        failed=1
    fi
}

ARGUMENTS=("$@")
run ONEDNN_MAX_CPU_ISA=AVX2
run ONEDNN_MAX_CPU_ISA=SSE41
run ATEN_CPU_CAPABILITY=default
# All of libtorch, oneDNN and MKL as on a processor of 2008.
run ONEDNN_MAX_CPU_ISA=SSE41 ATEN_CPU_CAPABILITY=default MKL_ENABLE_INSTRUCTIONS=SSE4_2
run OMP_NUM_THREADS=1
run OMP_NUM_THREADS=4
exit $failed
