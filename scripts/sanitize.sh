#!/usr/bin/env bash
# Runs the tests of the kernels, the networks and the readers of files under AddressSanitizer and
# UndefinedBehaviorSanitizer, in a build of their own (.build-sanitize).
#
#   scripts/sanitize.sh                        TorchTests, NetworksTests and SegmentationTests
#   scripts/sanitize.sh SeparableConv2dTests   the tests whose names match
#
# C, C++ and Swift of ours are instrumented; libtorch, the image libraries and the Swift runtime are not. What follows
# from that is switched off below and in sanitize-ignore.txt, and nothing else is. The first finding ends the run.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly FILTER=${1:-TorchTests|NetworksTests|SegmentationTests}
# Calls through pointers from libtorch into our code, and its classes' type information, look wrong to these two checks.
readonly FLAGS=(-fsanitize=undefined -fno-sanitize=vptr,function -fno-sanitize-recover=undefined
    "-fsanitize-ignorelist=$PWD/scripts/sanitize-ignore.txt" -fno-omit-frame-pointer)
# Package.swift leaves out what is not needed for these tests.
export SANITIZE=1
readonly BUILD=(-c release --sanitize address --scratch-path .build-sanitize)

passed=()
for flag in "${FLAGS[@]}"; do passed+=(-Xcc "$flag" -Xcxx "$flag"); done
"${SWIFT:-swift}" build "${BUILD[@]}" --build-tests "${passed[@]}"

# A vector that libtorch made and our code reads is annotated by neither or by one of them; what is still allocated at the
# end belongs to libtorch's registries and to the Swift runtime (LeakTests look for tensors that are not freed).
export ASAN_OPTIONS="detect_container_overflow=0:detect_leaks=0:detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
"${SWIFT:-swift}" test "${BUILD[@]}" --skip-build --filter "$FILTER"
