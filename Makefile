# Every target makes sure of the set-up first (see scripts/setup.sh), which takes a moment once it is done.
# LIBTORCH=/path uses a libtorch that is there already; OUTPUT=DIR is where `make demo` writes.

SWIFT ?= swift
OUTPUT ?= runs/demo
FAULTS ?= 25
SECONDS_EACH ?= 30
LIBRARIES = Torch SearchSpace Networks ArchitectureSearch Images Datasets Segmentation Inference Configurations Reporting \
    Export Runs Experiments Deployment Comparisons Planning
SCHEMAS = Sources/Export/Schema/onnx.proto Sources/Reporting/TensorBoard/Schema/events.proto
SWIFT_SOURCES = Package.swift Sources Tests $(wildcard Benchmarks Examples Fuzz)
CXX_SOURCES = $(shell find Sources Tests -name '*.cpp' -o -name '*.c' -o -name '*.h')
CLANG_FORMAT ?= $(firstword $(wildcard .venv/bin/clang-format) clang-format)

.DEFAULT_GOAL := help
.PHONY: help setup cuda encoders build test test-consumer test-portable faults fuzz sanitize soak demo bench gpu-check lint format docs \
    protos clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

setup:  ## system packages and libtorch, once
	@scripts/setup.sh

cuda:  ## CUDA's libraries beside libtorch, 3 GB, for NVIDIA GPUs on Linux
	@scripts/setup.sh --cuda

encoders:  ## EfficientNet-Lite 0 to 2, trained on ImageNet, for `train --encoder`, 64 MB
	@scripts/encoders.sh

build: setup  ## the command, optimised: .build/release/autodeeplab, and its engine beside it
	$(SWIFT) build -c release --product AutoDeepLabEngine
	$(SWIFT) build -c release --product autodeeplab

test:  ## all tests, optimised, and a package that depends on this one
	@scripts/setup.sh --venv
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build
	@SWIFT=$(SWIFT) scripts/test-consumer.sh

test-consumer: setup  ## builds and runs a package that depends on this one by URL and version
	@SWIFT=$(SWIFT) scripts/test-consumer.sh

test-portable:  ## all tests as on older processors, and with 1 and 4 threads
	@scripts/setup.sh --venv
	$(SWIFT) build -c release --build-tests
	SWIFT=$(SWIFT) scripts/test-portable.sh

faults: setup  ## kills, damaged files, full disks and signals, many more than `make test` has (FAULTS=25)
	$(SWIFT) build -c release --build-tests
	FAULTS=$(FAULTS) $(SWIFT) test -c release --skip-build --filter FaultTests

fuzz: setup  ## arbitrary bytes for every reader of files, SECONDS_EACH=30 s each (needs a toolchain with libFuzzer)
	SWIFT=$(SWIFT) scripts/fuzz.sh $(SECONDS_EACH)

sanitize: setup  ## tests of kernels, networks and readers under AddressSanitizer and UndefinedBehaviorSanitizer
	SWIFT=$(SWIFT) scripts/sanitize.sh

soak: setup  ## memory of 500 steps of search and of training
	$(SWIFT) run -c release --package-path Benchmarks Soak

demo: build  ## from generated images to a network, measured and exported, in minutes
	.build/release/autodeeplab demo --output $(OUTPUT)

bench: build  ## measure speed (the package in Benchmarks)
	$(SWIFT) run -c release --package-path Benchmarks Steps

gpu-check: setup  ## a folder that checks and times an NVIDIA GPU on another machine: .build-gpu-check/folder
	SWIFT=$(SWIFT) scripts/gpu-check.sh

lint:  ## check format and documentation rules
	$(SWIFT) format lint --strict --recursive --parallel $(SWIFT_SOURCES)
	@scripts/check-conversions.sh
	@if command -v $(CLANG_FORMAT) >/dev/null; then $(CLANG_FORMAT) --dry-run -Werror $(CXX_SOURCES); \
	else echo "lint: no clang-format here (scripts/setup.sh --venv has it): the C++ sources are not checked"; fi

format:  ## put all sources into the project's format
	$(SWIFT) format --in-place --recursive --parallel $(SWIFT_SOURCES)
	@if command -v $(CLANG_FORMAT) >/dev/null; then $(CLANG_FORMAT) -i $(CXX_SOURCES); \
	else echo "format: no clang-format here, the C++ sources are left as they are"; fi

docs: setup  ## DocC archives of the libraries in .build/docs
	@mkdir -p .build/docs
	@for library in $(LIBRARIES); do \
	    $(SWIFT) package --allow-writing-to-directory .build/docs generate-documentation --target $$library \
	        --warnings-as-errors --output-path .build/docs/$$library.doccarchive || exit 1; \
	done

protos:  ## Swift from the .proto files; needs protoc, and protoc-gen-swift from swift-protobuf, in PATH
	@for schema in $(SCHEMAS); do \
	    protoc --proto_path=$${schema%/*} --swift_out=$${schema%/*} $$schema || exit 1; \
	done

clean:  ## remove what was built; libtorch stays
	$(SWIFT) package clean
	rm -rf .build/docs .build-consumer
