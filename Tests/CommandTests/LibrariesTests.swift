import Foundation
import TestSupport
import Testing
import Torch

#if os(Linux)
    /// What the program loads: libtorch's initialisers take longer than most answers that need no tensor.
    @Suite("Libraries that are loaded")
    struct LibrariesTests {
        private let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
        }

        /// The exit status, the last line of standard error, and whether libtorch was opened.
        private func run(_ arguments: [String]) throws -> (status: Int32, line: String, loadsTorch: Bool) {
            let log = folder.file("loader")
            let command = try StartedCommand(
                arguments, errorFile: folder.file("errors"),
                environment: ["LD_DEBUG": "files", "LD_DEBUG_OUTPUT": log])
            let (status, lines) = try command.end()
            let path = log + ".\(command.process.processIdentifier)"
            let opened = try String(contentsOfFile: path, encoding: .utf8)
            #expect(opened.contains("libc.so.6"), "the loader's log is not what it was")
            try FileManager.default.removeItem(atPath: path)
            return (status, lines.last ?? "", opened.contains("libtorch"))
        }

        private func expectLight(_ arguments: [String], _ status: Int32) throws {
            let result = try run(arguments)
            let command = arguments.joined(separator: " ")
            #expect(result.status == status, "\(command): \(result.line)")
            #expect(!result.loadsTorch, "\(command)")
        }

        @Test("Help, version and what looks at networks alone load no libtorch; what asks for devices does")
        func answers() throws {
            for verb in [["--help"], ["--version"], ["train", "--help"], ["inspect", "deeplabv3:3"]] {
                try expectLight(verb, 0)
            }
            let genotype = try folder.write(
                Command.run("inspect", "auto-deeplab", "--json").output, to: "inspected.json")
            try expectLight(["inspect", genotype], 65)
            try expectLight(["draw", "auto-deeplab", "--output", folder.file("drawing.svg")], 0)
            try expectLight(["data", "demo", "--count", "5", "--output", folder.file("scenes")], 0)
            try expectLight(["data", "check", folder.file("scenes")], 0)
            #expect(try run(["doctor"]).loadsTorch)
        }

        @Test("Wrong usage loads no libtorch")
        func usage() throws {
            let data = ["--preset", "instant", "--data", folder.file("none"), "--output", folder.file("run")]
            for arguments in [
                ["--no-such-option"], ["no-such-verb"], ["doctor", "--set", "a=b"], ["doctor", "--data"],
                ["search", "--preset", "none"], ["search", "--preset", "instant", "--data", "scenes"],
                ["search"] + data + ["--set", "search.epochs=many"], ["train"] + data + ["--set", "no.such=1"],
                ["search", "--trials", "2", "--seed", "\(Int.max)"] + data,
                ["compare", "--seeds", "0", "deeplabv3:3"] + data, ["predict", "model"],
                ["evaluate", "model", "--scales", "none"], ["export", "model", "--output", "model.txt"],
                ["bench", "deeplabv3:3", "--size", "3"], ["demo", "--device", "mps"], ["sample", "--count", "3"],
                ["run", "--output", folder.file("run")], ["run", "none", "--budget", "long"],
            ] {
                try expectLight(arguments, 64)
            }
            // Nor does an input that is missing.
            for arguments in [
                ["search"] + data, ["predict", "none", "none", "--output", folder.file("masks")], ["evaluate", "none"],
                ["export", "none", "--output", folder.file("a.onnx")], ["bench", "none"], ["watch", "none"],
                ["decode", "none"],
            ] {
                try expectLight(arguments, 66)
            }
        }

        /// A copy of the program, by itself or with what stands in the engine's place.
        private func copy(engine: String? = nil) throws -> String {
            let program = folder.file("autodeeplab")
            try FileManager.default.copyItem(at: Command.executable(), to: URL(fileURLWithPath: program))
            if let engine {
                try FileManager.default.copyItem(atPath: engine, toPath: folder.file("libAutoDeepLabEngine.so"))
            }
            return program
        }

        @Test("Without its engine the program says so where it needs a tensor, and else does as ever")
        func alone() throws {
            let program = try copy()
            #expect(try Command.launch(program, ["inspect", "deeplabv3:3"]).status == 0)
            let result = try Command.launch(program, ["doctor"])
            #expect(result.status == 70)
            let reason = "engine: the engine cannot be loaded: libAutoDeepLabEngine.so: "
            #expect(result.errors.hasPrefix("error: " + reason), "\(result.errors)")
            #expect(result.errors.hasSuffix("it belongs beside the program and is built as AutoDeepLabEngine\n"))
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        }

        @Test("An engine of another interface is refused")
        func otherEngine() throws {
            let library = try PreloadedLibrary.build("Faults/other_engine.c", in: folder)
            let result = try Command.launch(copy(engine: library), ["doctor"])
            #expect(result.status == 70)
            #expect(
                result.errors.hasSuffix("libAutoDeepLabEngine.so is of another version: build it with the program\n"),
                "\(result.errors)")
        }

        @Test("Where memory is limited and libtorch finds no room, that is said")
        func limitedMemory() throws {
            let result = try Command.launch(
                "/bin/sh", ["-c", "ulimit -v 300000; exec \"$0\" doctor", Command.executable().path])
            #expect(result.status == 70)
            #expect(
                result.errors.hasPrefix(
                    "error: memory ran out; close other programs (engine: the engine cannot be loaded: "),
                "\(result.errors)")
        }

        @Test("A program by way of a link finds its engine beside itself")
        func link() throws {
            let link = folder.file("adl")
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: Command.executable().path)
            let result = try Command.launch(link, ["doctor"])
            #expect(result.status == 0 && result.output.contains("libtorch_cpu"), "\(result.errors)")
        }
    }
#endif

/// A program and an engine of its own that were built at different times must not take each other's arguments amiss.
@Suite("Interface to the engine")
struct InterfaceTests {
    @Test("Who changes a declaration raises CT_INTERFACE: these are the declarations of its present number")
    func number() throws {
        let sources = PreloadedLibrary.root + "/Sources/"
        var hash = XXHash64()
        for name in [
            "CTorch/include/ctorch_engine.h", "CTorch/include/ctorch_distributed.h", "CSupernet/include/csupernet.h",
        ] {
            let text = try String(contentsOfFile: sources + name, encoding: .utf8)
            let code = text.split(separator: "\n").filter { !$0.hasPrefix("//") }.joined(separator: "\n")
            hash.update(Array(code.utf8))
        }
        let types = try String(contentsOfFile: sources + "CTorch/include/ctorch_types.h", encoding: .utf8)
        let number = types.split(separator: "\n").first { $0.hasPrefix("#define CT_INTERFACE") }
        #expect("\(number ?? "") \(hash.text)" == "#define CT_INTERFACE 5 bce9331f943a8b30")
    }
}
