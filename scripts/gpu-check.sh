#!/usr/bin/env bash
# Makes a folder that checks and times an NVIDIA GPU on another machine: x86-64 Linux with a Python that has PyTorch, whose
# libtorch it uses; no Swift, no compiler and no network there.
#
#   scripts/gpu-check.sh [FOLDER] [TORCH]
#
# FOLDER is .build-gpu-check/folder without one; TORCH is the version of PyTorch there, without one that of .libtorch.
# There: FOLDER/run.sh [PYTHON], which writes gpu-check.json and prints a table. What is built stays in .build-gpu-check.
# The other machine needs a glibc that is no older than the one here.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly SWIFT=${SWIFT:-swift} ROOT=$PWD WORK=$PWD/.build-gpu-check
readonly FOLDER=${1:-$WORK/folder} LIMIT_MB=60

fail() {
    printf 'gpu-check: error: %s\n' "$*" >&2
    exit 1
}

# Where it stands depends on the version.
version_of() {
    { cat "$1"/include/torch/{csrc/api/include/torch,headeronly}/version.h 2>/dev/null || true; } |
        sed -nE 's/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' | paste -sd. -
}

# Unpacks PyTorch's wheel of a version; its path.
fetch_torch() {
    local place=$WORK/torch-$1
    if [ ! -d "$place/torch" ]; then
        mkdir -p "$place"
        "${PYTHON:-python3}" -m pip download --quiet --no-deps --only-binary :all: --dest "$place" "torch==$1" >&2 ||
            fail "pip has no PyTorch $1"
        (cd "$place" && "${PYTHON:-python3}" -m zipfile -e torch-*.whl . && rm -f torch-*.whl)
    fi
    printf '%s/torch\n' "$place"
}

[ "$(uname -sm)" = "Linux x86_64" ] || fail "makes folders for x86-64 Linux on such a machine alone"
[ -e .libtorch/torch ] || fail "no .libtorch here: run scripts/setup.sh first"
here=$(version_of .libtorch/torch)
[ -n "$here" ] || fail ".libtorch/torch says no version"
readonly TORCH=${2:-$here}

# Another libtorch needs a copy of the sources, since Package.swift looks for it in this folder first.
source=$ROOT
if [ "$TORCH" != "$here" ]; then
    libtorch=$(fetch_torch "$TORCH")
    source=$WORK/source-$TORCH
    mkdir -p "$source/.libtorch"
    ln -sfn "$libtorch" "$source/.libtorch/torch"
    git ls-files -z | tar -cf - --null -T - | tar -xf - -C "$source"
fi

"$SWIFT" build -c release --static-swift-stdlib --package-path "$source/Benchmarks" \
    --scratch-path "$WORK/build-$TORCH" --product GPUCheck
program=$WORK/build-$TORCH/release/GPUCheck

rm -rf "$FOLDER"
mkdir -p "$FOLDER/lib" "$FOLDER/scenes"
# Unpacked when it is first run: two fifths of it are tables that Foundation brings along.
strip -o "$FOLDER/GPUCheck" "$program"
# All libraries but those of the C library, which belong to the other machine, and libtorch's.
ldd "$program" | awk '$3 ~ /^\// { print $3 }' | while read -r library; do
    case $(basename "$library") in
        libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | ld-linux*) ;;
        libtorch* | libc10* | libgomp* | libcu* | libnv*) ;;
        *) cp -L "$library" "$FOLDER/lib/" ;;
    esac
done
"$FOLDER/GPUCheck" --write-scenes "$FOLDER/scenes"
gzip -9 "$FOLDER/GPUCheck"
printf '%s\n' "$TORCH" >"$FOLDER/torch-version"
cp scripts/gpu-check-run.sh "$FOLDER/run.sh"
chmod +x "$FOLDER/run.sh"

size=$(du -sm "$FOLDER" | cut -f1)
[ "$size" -le "$LIMIT_MB" ] || fail "$FOLDER has $size MB, at most $LIMIT_MB are wanted"
printf '%s: %s MB, for PyTorch %s and glibc %s or newer\n' "$FOLDER" "$size" "$TORCH" \
    "$(ldd --version | sed -n '1s/.* //p')"
