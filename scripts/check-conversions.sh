#!/usr/bin/env bash
# Makes sure that the compiler refuses what could trap: a floating-point number made into an integer without a check. And
# looks for a call of Foundation that traps on Linux where a path is a single letter.
#
# Sources/Shared/CheckedConversion.swift does that in every target that it is linked into; this script looks for a target
# without it, and tries whether it still works.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly RULE=Shared/CheckedConversion.swift
failed=

for folder in Sources/*/; do
    [ "$folder" = "Sources/Shared/" ] && continue
    [ -n "$(find "$folder" -name '*.swift' -print -quit)" ] || continue
    if [ "$(readlink "$folder${RULE#*/}")" != "../$RULE" ]; then
        echo "lint: $folder lacks the rule for conversions: ln -s ../$RULE $folder" >&2
        failed=1
    fi
done

if grep -rn --include='*.swift' 'NSString).deletingLastPathComponent' Sources; then
    echo "lint: NSString.deletingLastPathComponent traps on a single letter: use folderPart(of:)" >&2
    failed=1
fi

probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
cat >"$probe/probe.swift" <<'EOF'
func first(_ value: Double) -> Int { Int(value.rounded()) }
func second(_ value: Float) -> UInt8 { UInt8(value) }
func third(_ values: [Double]) -> [Int32] { values.map { .init($0) } }
func fourth(_ value: some BinaryFloatingPoint) -> Int { Int(value) }
func allowed(_ value: Double) -> [Int?] { [Int(clamping: value), Int(exactly: value), Int(UInt8(3)), Int("7")] }
EOF
found=$("${SWIFTC:-swiftc}" -typecheck -swift-version 6 "Sources/$RULE" "$probe/probe.swift" 2>&1 |
    grep -c '^[^ ]*probe.swift:[1-4]:.*traps where it does not fit' || true)
if [ "$found" -ne 4 ]; then
    echo "lint: of 4 conversions that could trap, Sources/$RULE lets the compiler find $found" >&2
    failed=1
fi
[ -z "$failed" ]
