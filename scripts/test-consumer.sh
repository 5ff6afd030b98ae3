#!/usr/bin/env bash
# Builds and runs the package in Tests/Consumer as somebody else would: outside of this one, which it depends on by the
# URL of a git repository and a version. The repository is made of the files here, committed or not, and libtorch is
# found where `scripts/setup.sh --shared` puts it.
#
# Everything lies in .build-consumer, so that a second run builds only what has changed; remove it to begin anew.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly SWIFT=${SWIFT:-swift} ROOT=$PWD/.build-consumer
readonly REPOSITORY=$ROOT/AutoDeepLab CONSUMER=$ROOT/Consumer
readonly CHECKOUT=$CONSUMER/.build/checkouts/AutoDeepLab

fail() {
    printf 'test-consumer: error: %s\n' "$*" >&2
    exit 1
}

# Commits the files as they are. The first commit becomes the version that the package asks for.
commit_files() {
    local git=(git -C "$REPOSITORY" -c user.name=consumer -c user.email=consumer@localhost -c commit.gpgsign=false)
    [ -d "$REPOSITORY/.git" ] || git init -q -b main "$REPOSITORY"
    find "$REPOSITORY" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
        if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
    done >"$ROOT/files"
    tar -cf - --null -T "$ROOT/files" | tar -xf - -C "$REPOSITORY"
    "${git[@]}" add -A
    "${git[@]}" commit -q --allow-empty -m "Files of $(date)"
    "${git[@]}" tag 0.0.1 2>/dev/null || true
}

# SwiftPM checks a dependency out anew for a new version, and then builds all of it; git writes what differs alone.
advance_checkout() {
    git -C "$CHECKOUT" fetch -q "$REPOSITORY" main
    git -C "$CHECKOUT" checkout -q --force FETCH_HEAD
}

[ -e .libtorch/torch ] || fail "no .libtorch here: run scripts/setup.sh first"
LIBTORCH=$(cd .libtorch/torch && pwd -P)
mkdir -p "$CONSUMER"
commit_files
rm -rf "$CONSUMER/Sources"
cp -Rp Tests/Consumer/. "$CONSUMER/"

export AUTODEEPLAB_URL=file://$REPOSITORY LIBTORCH XDG_DATA_HOME=$ROOT/data
"$SWIFT" package --package-path "$CONSUMER" resolve
advance_checkout
"$CHECKOUT/scripts/setup.sh" --shared
"$SWIFT" build --package-path "$CONSUMER"
programs=$("$SWIFT" build --package-path "$CONSUMER" --show-bin-path)

# Whoever runs the programs has set nothing.
unset AUTODEEPLAB_URL LIBTORCH XDG_DATA_HOME LD_LIBRARY_PATH DYLD_LIBRARY_PATH
for source in Tests/Consumer/Sources/*/; do
    program=$(basename "$source")
    "$programs/$program" || fail "$program ended with status $?"
done
