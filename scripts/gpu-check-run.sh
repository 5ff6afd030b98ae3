#!/usr/bin/env bash
# Checks this machine's NVIDIA GPU against its processor and times it: a table here, and gpu-check.json.
#
#   ./run.sh [PYTHON] [OPTIONS OF GPUCheck]   PYTHON: one that has PyTorch (default: python3)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
python=${1:-python3}
shift || true

# Where its PyTorch lies, without loading it.
torch=$("$python" -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' 2>/dev/null) || {
    printf 'error: %s has no PyTorch: ./run.sh PYTHON names another one\n' "$python" >&2
    exit 66
}
wanted=$(cat "$here/torch-version")
found=$({ cat "$torch"/include/torch/{csrc/api/include/torch,headeronly}/version.h 2>/dev/null || true; } |
    sed -nE 's/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' | paste -sd. -)
if [ "$found" != "$wanted" ]; then
    printf 'error: PyTorch %s is in %s, and this folder was built for %s\n' "${found:-?}" "$torch" "$wanted" >&2
    exit 65
fi
[ -x "$here/GPUCheck" ] || gzip -dk "$here/GPUCheck.gz"
export LD_LIBRARY_PATH=$torch/lib:$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
exec "$here/GPUCheck" --scenes "$here/scenes" --json "$PWD/gpu-check.json" "$@"
