#!/usr/bin/env bash
# Makes this folder ready to build: checks Swift, installs the system libraries and puts libtorch into .libtorch.
#
#   scripts/setup.sh           what building and running needs
#   scripts/setup.sh --venv    the same, and .venv with the Python packages that some tests compare with
#   scripts/setup.sh --cuda    the same as the first, and CUDA's libraries beside libtorch (Linux with an NVIDIA GPU)
#   scripts/setup.sh --shared  puts libtorch where it serves each package of this user that depends on this one:
#                              ~/.local/share/autodeeplab, or below XDG_DATA_HOME; --cuda may stand beside it
#
#   LIBTORCH=/path   use the libtorch there (a folder with lib and include, or one with torch/lib) and download nothing
#   PYTHON=/path     the Python 3 to download with; nothing of Python is used when the program runs
#
# Whatever is in place already is left alone, so running it again costs nothing. Every failure says in one line what
# is wrong and what to do. Kept to bash 3.2, which is what macOS has.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

readonly TORCH_VERSION=2.15.0
readonly SWIFT_MAJOR=6 SWIFT_MINOR=2
readonly NEEDED_MB=2500 NEEDED_CUDA_MB=4500
PLACE=$PWD/.libtorch
DOWNLOADS=$PLACE/download
SYSTEM=$(uname -s)
MACHINE=$(uname -m)
PIP=()

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# MARK: Swift

check_swift() {
    has swift || fail "no swift in PATH: install Swift $SWIFT_MAJOR.$SWIFT_MINOR or newer from https://swift.org/install"
    local version major minor
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    major=${version%%.*}
    minor=$(printf '%s.0' "$version" | cut -d . -f 2)
    if [ -z "$version" ]; then
        fail "'swift --version' names no version: reinstall Swift from https://swift.org/install"
    fi
    if [ "$major" -lt $SWIFT_MAJOR ] || { [ "$major" -eq $SWIFT_MAJOR ] && [ "$minor" -lt $SWIFT_MINOR ]; }; then
        fail "Swift $version is too old: install $SWIFT_MAJOR.$SWIFT_MINOR or newer from https://swift.org/install"
    fi
}

# MARK: System packages

# Runs a command as root, without ever waiting for a password that nobody is there to type.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! has sudo; then
        return 1
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# apt_install PACKAGE...: the package list is fetched once a run.
APT_UPDATED=no
apt_install() {
    local by_hand="run 'apt-get install $*' as root, then this again"
    has apt-get || fail "missing: $*; this system has no apt-get: install what these are called here"
    say "installing $*"
    if [ $APT_UPDATED = no ]; then
        # One unreachable source among several is no reason to stop; the installation will tell.
        as_root apt-get -qq update >/dev/null 2>&1 || true
        APT_UPDATED=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" \
        >/dev/null 2>&1 </dev/null || fail "cannot install $* (no network, or no right to): $by_hand"
}

# giflib has no pkg-config file.
has_giflib() { [ -e /usr/include/gif_lib.h ] || [ -e /usr/local/include/gif_lib.h ]; }

has_gloo() { [ -e /usr/include/gloo/algorithm.h ] || [ -e /usr/local/include/gloo/algorithm.h ]; }

has_tcmalloc() { [[ $(PATH=$PATH:/sbin:/usr/sbin ldconfig -p) == *libtcmalloc_minimal.so.4* ]]; }

install_linux_packages() {
    local missing=()
    has make || missing+=(make)
    has pkg-config || missing+=(pkg-config)
    has unzip || missing+=(unzip)
    { has pkg-config && pkg-config --exists spng; } || missing+=(libspng-dev)
    { has pkg-config && pkg-config --exists libturbojpeg; } || missing+=(libturbojpeg0-dev)
    { has pkg-config && pkg-config --exists libjpeg; } || missing+=(libjpeg-dev)
    { has pkg-config && pkg-config --exists libtiff-4; } || missing+=(libtiff-dev)
    { has pkg-config && pkg-config --exists libwebpdemux; } || missing+=(libwebp-dev)
    { has pkg-config && pkg-config --exists libxxhash; } || missing+=(libxxhash-dev)
    has_giflib || missing+=(libgif-dev)
    has rsvg-convert || missing+=(librsvg2-bin)
    has_gloo || missing+=(libgloo-dev)
    has_tcmalloc || missing+=(libtcmalloc-minimal4)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# Homebrew has no gloo: on macOS the program is built without process groups.
install_mac_packages() {
    local missing=()
    has pkg-config || missing+=(pkgconf)
    { has pkg-config && pkg-config --exists spng; } || missing+=(libspng)
    { has pkg-config && pkg-config --exists libturbojpeg libjpeg; } || missing+=(jpeg-turbo)
    { has pkg-config && pkg-config --exists libtiff-4; } || missing+=(libtiff)
    { has pkg-config && pkg-config --exists libwebpdemux; } || missing+=(webp)
    { has pkg-config && pkg-config --exists libxxhash; } || missing+=(xxhash)
    [ -e "$(brew --prefix 2>/dev/null)/include/gif_lib.h" ] || missing+=(giflib)
    has rsvg-convert || missing+=(librsvg)
    [ ${#missing[@]} -gt 0 ] || return 0
    has brew || fail "missing: ${missing[*]}: install Homebrew from https://brew.sh, then run this again"
    say "installing ${missing[*]}"
    brew install --quiet "${missing[@]}" >/dev/null </dev/null ||
        fail "brew cannot install ${missing[*]}: run 'brew install ${missing[*]}' and read what it says"
}

install_packages() {
    case $SYSTEM in
        Linux) install_linux_packages ;;
        Darwin) install_mac_packages ;;
        *) fail "$SYSTEM is not supported: use Linux or macOS" ;;
    esac
}

# MARK: Python, as a downloader

# Sets PIP to the first Python 3 that has pip.
find_pip() {
    local python
    for python in ${PYTHON:+"$PYTHON"} python3 python /usr/bin/python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info[0] != 3)' >/dev/null 2>&1 &&
            "$python" -m pip --version >/dev/null 2>&1; then
            PIP=("$python" -m pip)
            return 0
        fi
    done
    return 1
}

need_pip() {
    find_pip && return 0
    if [ "$SYSTEM" = Linux ] && has apt-get; then
        apt_install python3-pip
        find_pip && return 0
    fi
    fail "no Python 3 with pip found: install python3-pip, name one by PYTHON=/path, or use LIBTORCH=/path"
}

# MARK: libtorch

# torch_version FOLDER: the version that the headers there tell, or nothing.
torch_version() {
    local header
    for header in include/torch/headeronly/version.h include/torch/csrc/api/include/torch/version.h; do
        [ -e "$1/$header" ] || continue
        awk '$1 == "#define" && $2 ~ /^TORCH_VERSION_(MAJOR|MINOR|PATCH)$/ { part[$2] = $3 }
            END {
                if ("TORCH_VERSION_MAJOR" in part)
                    print part["TORCH_VERSION_MAJOR"] "." part["TORCH_VERSION_MINOR"] "." part["TORCH_VERSION_PATCH"]
            }' "$1/$header" | grep . && return 0
    done
    return 0
}

has_libraries() { [ -e "$1/lib/libtorch_cpu.so" ] || [ -e "$1/lib/libtorch_cpu.dylib" ]; }

# The headers of another 2.x differ in the functions that the shim calls, so only fixes of this one will do.
is_right_torch() {
    has_libraries "$1" || return 1
    case $(torch_version "$1") in ${TORCH_VERSION%.*}.*) return 0 ;; *) return 1 ;; esac
}

# The other place that Package.swift names, by the version of the headers.
use_shared_place() {
    local data=${XDG_DATA_HOME:-${HOME:+$HOME/.local/share}}
    case $data in
        /*) ;;
        *) fail "--shared: XDG_DATA_HOME, or else HOME, has to be the whole path of a folder: set it" ;;
    esac
    PLACE=$data/autodeeplab/libtorch-${TORCH_VERSION%.*}
    DOWNLOADS=$PLACE/download
    mkdir -p "$PLACE" 2>/dev/null || fail "cannot write to $PLACE: check who owns $data"
}

# link_torch TARGET: makes the place's `torch`, which Package.swift names, a link to the chosen one.
link_torch() {
    if [ -e "$PLACE/torch" ] && [ ! -L "$PLACE/torch" ]; then
        fail "$PLACE/torch is in the way: remove $PLACE, then run this again"
    fi
    ln -sfn "$1" "$PLACE/torch"
}

use_existing_torch() {
    local folder=$LIBTORCH found
    [ -d "$folder" ] || fail "LIBTORCH=$LIBTORCH is not a folder: unset it to download libtorch $TORCH_VERSION"
    folder=$(cd "$folder" && pwd -P)
    [ -d "$folder/torch/lib" ] && folder=$folder/torch
    has_libraries "$folder" && [ -d "$folder/include" ] ||
        fail "LIBTORCH=$LIBTORCH holds no lib/libtorch_cpu and include: name a libtorch ${TORCH_VERSION%.*}, or unset it"
    found=$(torch_version "$folder")
    is_right_torch "$folder" || fail "LIBTORCH=$LIBTORCH is version ${found:-unknown}, not ${TORCH_VERSION%.*}:" \
        "name another one, or unset it to download $TORCH_VERSION"
    if [ "$(cd "$PLACE/torch" 2>/dev/null && pwd -P)" != "$folder" ]; then
        mkdir -p "$PLACE"
        link_torch "$folder"
        say "using libtorch $found in $folder"
    fi
}

digest_of() {
    if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# wheel_file REQUIREMENT: the file that the download folder holds for it, or nothing.
wheel_file() {
    local stem=${1%%==*}
    find "$DOWNLOADS" -name "$(printf '%s' "$stem" | tr - _)-*.whl" 2>/dev/null | head -n 1
}

wrong_wheel() {
    fail "the index offers another file for $1 than scripts/wheels.txt pins: check the index that pip uses," \
        "or use LIBTORCH=/path"
}

# fetch_wheel REQUIREMENT PLATFORM DIGEST: puts one verified wheel into the download folder. A file that an interrupted
# run left is used when it is whole and fetched again when it is not.
fetch_wheel() {
    local requirement=$1 platform=$2 digest=$3 file quiet=--quiet reason
    file=$(wheel_file "$requirement")
    if [ -n "$file" ]; then
        [ "$(digest_of "$file")" = "$digest" ] && return 0
        rm -f "$file"
    fi
    need_pip
    say "downloading $requirement"
    [ -t 1 ] && quiet=--progress-bar=on
    rm -rf "$DOWNLOADS/tmp" && mkdir -p "$DOWNLOADS/tmp"
    # With the digest in the requirement pip itself takes no other build of the same version.
    printf '%s --hash=sha256:%s\n' "$requirement" "$digest" >"$DOWNLOADS/requirement.txt"
    if ! TMPDIR=$DOWNLOADS/tmp "${PIP[@]}" download $quiet --no-deps --no-cache-dir --disable-pip-version-check \
        --retries 3 --only-binary=:all: --implementation cp --python-version 3.11 --abi cp311 --abi none \
        --platform "$platform" --dest "$DOWNLOADS" --requirement "$DOWNLOADS/requirement.txt" \
        2>"$DOWNLOADS/errors.txt" </dev/null; then
        if grep -q 'DO NOT MATCH THE HASHES' "$DOWNLOADS/errors.txt"; then wrong_wheel "$requirement"; fi
        reason=$(grep -i 'error' "$DOWNLOADS/errors.txt" | tail -n 1 | cut -c 1-160 || true)
        fail "cannot download $requirement (${reason:-pip gave no reason}): check the network and run this again," \
            "or use LIBTORCH=/path"
    fi
    rm -rf "$DOWNLOADS/tmp"
    file=$(wheel_file "$requirement")
    if [ -z "$file" ] || [ "$(digest_of "$file")" != "$digest" ]; then
        rm -f "$file"
        wrong_wheel "$requirement"
    fi
}

# Unpacks beside the place where the result shall be, then renames: an interrupted run leaves nothing that looks whole.
download_torch() {
    local platform=$SYSTEM-$MACHINE target=$PLACE/$TORCH_VERSION-$SYSTEM-$MACHINE free requirement tag digest file
    local wheels unpacked
    wheels=$(grep "^$platform " scripts/wheels.txt) ||
        fail "there is no libtorch wheel for $platform: build libtorch $TORCH_VERSION there and use LIBTORCH=/path"
    if ! is_right_torch "$target/torch"; then
        mkdir -p "$DOWNLOADS" 2>/dev/null || fail "cannot write to $PLACE: check who owns it"
        free=$(df -Pk "$PLACE" | awk 'NR == 2 { print int($4 / 1024) }')
        [ "$free" -ge $NEEDED_MB ] ||
            fail "$free MB free here, libtorch needs $NEEDED_MB MB: free some space, or use LIBTORCH=/path"
        while read -r _ requirement tag digest; do
            fetch_wheel "$requirement" "$tag" "$digest"
        done <<<"$wheels"
        say "unpacking libtorch $TORCH_VERSION"
        unpacked=$DOWNLOADS/unpacked
        rm -rf "$unpacked" "$target"
        for file in "$DOWNLOADS"/*.whl; do
            # The wheel's Python side (0.1 GB) is for the tests that compare with PyTorch.
            unzip -q -o "$file" 'torch/*' 'torchgen/*' 'nvidia/*' '*.dist-info/*' -d "$unpacked" \
                >/dev/null 2>"$DOWNLOADS/errors.txt" || [ $? -eq 11 ] ||
                fail "cannot unpack ${file##*/} ($(head -n 1 "$DOWNLOADS/errors.txt")): free some space and run this again"
        done
        is_right_torch "$unpacked/torch" || fail "the wheel holds no libtorch $TORCH_VERSION: check scripts/wheels.txt"
        mv "$unpacked" "$target"
    fi
    link_torch "${target##*/}/torch"
    rm -rf "$DOWNLOADS"
    say "libtorch $TORCH_VERSION is in $target"
}

install_torch() {
    if [ -n "${LIBTORCH:-}" ]; then
        use_existing_torch
    elif ! is_right_torch "$PLACE/torch"; then
        download_torch
    fi
}

# MARK: CUDA

# Puts what libtorch_cuda.so links into the folders beside it where it looks. A library is moved to its place when all
# are there; the list beside them says that they are.
install_cuda() {
    local platform=$SYSTEM-$MACHINE beside unpacked=$DOWNLOADS/unpacked free wheels requirement tag digest file
    beside=$(cd "$PLACE/torch" && cd -P .. && pwd)
    [ "$beside" = "$(cd "$PLACE" && pwd -P)/$TORCH_VERSION-$platform" ] ||
        fail "--cuda: the libtorch in $beside was not put there by this script: it has to bring CUDA's libraries itself"
    cmp -s scripts/wheels-cuda.txt "$beside/nvidia/wheels-cuda.txt" && return 0
    wheels=$(grep "^$platform " scripts/wheels-cuda.txt) || fail "--cuda: there is no CUDA for $platform"
    free=$(df -Pk "$beside" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge $NEEDED_CUDA_MB ] || fail "--cuda: $free MB free here, CUDA's libraries need $NEEDED_CUDA_MB MB"
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    while read -r _ requirement tag digest; do
        fetch_wheel "$requirement" "$tag" "$digest"
        file=$(wheel_file "$requirement")
        unzip -q -o "$file" 'nvidia/*.so*' -d "$unpacked" >/dev/null 2>"$DOWNLOADS/errors.txt" ||
            fail "cannot unpack ${file##*/} ($(head -n 1 "$DOWNLOADS/errors.txt")): free some space and run this again"
        rm -f "$file"
    done <<<"$wheels"
    (cd "$unpacked" && find nvidia -name '*.so*') | while read -r file; do
        mkdir -p "$beside/${file%/*}"
        mv "$unpacked/$file" "$beside/$file"
    done
    cp scripts/wheels-cuda.txt "$beside/nvidia/"
    rm -rf "$DOWNLOADS"
    say "CUDA's libraries are in $beside/nvidia"
}

# MARK: Python packages for tests

install_venv() {
    local stamp=.venv/requirements-test.txt python reason
    cmp -s scripts/requirements-test.txt $stamp && return 0
    need_pip
    python=${PIP[0]}
    say "making .venv with the packages that tests compare with"
    if ! "$python" -m venv --clear .venv >/dev/null 2>&1; then
        # Debian keeps a part of it in a package of its own.
        [ "$SYSTEM" = Linux ] && has apt-get && apt_install python3-venv
        "$python" -m venv --clear .venv >/dev/null 2>&1 ||
            fail "'$python -m venv .venv' fails: install python3-venv, or name another Python by PYTHON=/path"
    fi
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --retries 3 \
        --only-binary=:all: --requirement scripts/requirements-test.txt 2>.venv/errors.txt </dev/null; then
        reason=$(grep -i 'error' .venv/errors.txt | tail -n 1 | cut -c 1-160 || true)
        fail "cannot install scripts/requirements-test.txt (${reason:-pip gave no reason}): check the network and run" \
            "this again; 'swift test' runs without .venv and skips what needs it"
    fi
    install_python_torch
    cp scripts/requirements-test.txt $stamp
}

# Lets .venv import the PyTorch whose library is in .libtorch, where the wheel is for this Python. Its CUDA half links
# libraries that are larger than all else and that no test needs: stand-ins take their names. .venv/torch-libraries
# holds where libraries are searched, and says to the tests that all went well.
install_python_torch() {
    local site=.venv/torch-site stand_ins=.venv/stand-ins path
    mkdir -p $site $stand_ins
    ln -sfn "$PWD/.libtorch/torch" $site/torch
    ln -sfn "$(cd .libtorch/torch && pwd -P)/../torchgen" $site/torchgen
    path=$PWD/$stand_ins:$(cd .libtorch/torch && pwd -P)/../nvidia/cu13/lib
    if [ "$SYSTEM" = Linux ]; then
        make_stand_ins $stand_ins 2>/dev/null || true
    fi
    .venv/bin/python -c 'import site; print(site.getsitepackages()[0])' | while read -r folder; do
        printf '%s\n' "$PWD/$site" >"$folder/torch-site.pth"
        if LD_LIBRARY_PATH=$path .venv/bin/python -c 'import torch' >/dev/null 2>&1; then
            printf '%s' "$path" >.venv/torch-libraries
        else
            rm -f "$folder/torch-site.pth"
            say "this Python cannot import the wheel's PyTorch, which is for 3.11: the tests that need it are skipped"
        fi
    done
}

# make_stand_ins FOLDER: libraries with the names and symbols that libtorch_cuda.so asks others for. The functions say
# that all went well and do nothing.
make_stand_ins() {
    local lib=.libtorch/torch/lib asking symbols name version list
    asking="$lib/libtorch_cuda.so $lib/libtorch_nvshmem.so $lib/libtorch_python.so"
    symbols=$(nm -D --undefined-only $asking | awk '$1 == "U" { print $2 }' | sort -u)
    readelf -d $asking | grep -oE 'lib(cu|nv|nccl)[A-Za-z_]*\.so\.[0-9]+' | sort -u |
        grep -vE 'libcudart|libcupti' | while read -r name; do
            version=$name
            case $name in libnvshmem*) version=NVSHMEM ;; esac
            list=$(printf '%s\n' "$symbols" | sed -n "s/@$version\$//p")
            # Some ask for symbols without saying of which library: one stand-in has them all.
            case $name in libnccl*) list=$(printf '%s\n' "$symbols" | grep -E '^(cu|nccl)[^@]*$') ;; esac
            printf 'int %s(void) { return 0; }\n' ${list:-nothing} >"$1/symbols.c"
            printf '%s { global: *; };\n' "$version" >"$1/symbols.map"
            cc -shared -w -fno-builtin "$1/symbols.c" -o "$1/$name" -Wl,-soname,"$name" \
                -Wl,--version-script="$1/symbols.map"
        done
}

main() {
    local venv=no cuda=no shared=no option
    for option in "$@"; do
        case $option in
            --venv) venv=yes ;;
            --cuda) cuda=yes ;;
            --shared) shared=yes ;;
            *) fail "unknown option $option: use --venv, --cuda, --shared or nothing" ;;
        esac
    done
    if [ $venv$shared = yesyes ]; then
        fail "--venv is for the tests in this folder, --shared for other packages: use one of them"
    fi
    check_swift
    [ $shared = no ] || use_shared_place
    install_packages
    install_torch
    # What `run` begins with where it can; without it all goes on, from scratch.
    [ $shared = yes ] || scripts/encoders.sh efficientnet-lite0 ||
        say "no trained encoder could be had: networks are learnt from scratch until \`make encoders\` succeeds"
    [ $cuda = no ] || install_cuda
    [ $venv = no ] || install_venv
}

main "$@"
