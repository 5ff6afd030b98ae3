import Configurations
import Foundation
import Runs
import TestSupport
import Testing

@Suite("Run folder")
struct RunFolderTests {
    @Test("A new folder is made with all above it, and knows its files")
    func new() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder(at: temporary.file("a/b/run"), resume: false)
        #expect(FileManager.default.fileExists(atPath: temporary.file("a/b/run/checkpoints")))
        #expect(folder.paths.lastCheckpoint == temporary.file("a/b/run/checkpoints/last.safetensors"))
        #expect(folder.paths.genotype(epoch: 7) == temporary.file("a/b/run/genotypes/epoch-007.json"))
        #expect(folder.paths.genotype(epoch: 1_234) == temporary.file("a/b/run/genotypes/epoch-1234.json"))
        #expect(!folder.hasCheckpoint)
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder.paths.lastCheckpoint))
        #expect(folder.hasCheckpoint)
    }

    @Test("A folder with something in it needs to be resumed")
    func notEmpty() throws {
        let temporary = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: temporary.file("config.yaml")))
        let error = #expect(throws: RunError.self) { _ = try RunFolder(at: temporary.path, resume: false) }
        #expect(error?.reason == .notEmpty)
        #expect(
            error?.description
                == "\(temporary.path): is not empty: resume the run in it, or name another folder")
        _ = try RunFolder(at: temporary.path, resume: true)
    }

    @Test("A folder in place of a run's file is refused, as the run is begun or goes on")
    func folderForFile() throws {
        for name in ["report.html", "model.safetensors", "log.jsonl"] {
            let temporary = try TemporaryFolder()
            try Data().write(to: URL(fileURLWithPath: temporary.file("config.yaml")))
            try FileManager.default.createDirectory(
                atPath: temporary.file(name), withIntermediateDirectories: false)
            let error = #expect(throws: RunError.self) { _ = try RunFolder(at: temporary.path, resume: true) }
            #expect(error?.reason == .overwrites)
            #expect(
                error?.description.hasSuffix("/\(name): is a folder, where a run writes a file: take it away") == true)
        }
    }

    @Test("A folder in use is refused, and free again afterwards")
    func locked() throws {
        let temporary = try TemporaryFolder()
        var first: RunFolder? = try RunFolder(at: temporary.path, resume: false)
        let error = #expect(throws: RunError.self) { _ = try RunFolder(at: temporary.path, resume: true) }
        #expect(error?.reason == .locked)
        let number = ProcessInfo.processInfo.processIdentifier
        #expect(error?.description == "\(temporary.path): another process (\(number)) is at work here")
        withExtendedLifetime(first) {}
        first = nil
        _ = try RunFolder(at: temporary.path, resume: true)
    }

    @Test("A file is no folder, and a folder below a file cannot be made")
    func unwritable() throws {
        let temporary = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: temporary.file("f")))
        let file = #expect(throws: RunError.self) { _ = try RunFolder(at: temporary.file("f"), resume: false) }
        #expect(file?.description == "\(temporary.path)/f: is a file, not a folder")
        let below = #expect(throws: RunError.self) { _ = try RunFolder(at: temporary.file("f/g"), resume: false) }
        #expect(below?.reason == .cannotWrite)
        #expect(below?.description == "\(temporary.path)/f/g: cannot be written: Not a directory")
    }

    @Test("Configuration and environment are written whole")
    func files() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder(at: temporary.path, resume: false)
        let configuration = try Configuration.resolve(preset: "instant")
        try folder.write(configuration)
        #expect(try Configuration.resolve(file: folder.paths.configuration) == configuration)
        let environment = Environment(threads: 2, device: "cpu", arguments: ["autodeeplab", "search"])
        try folder.write(environment)
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.paths.environment))
        #expect(try JSONDecoder().decode(Environment.self, from: data) == environment)
        #expect(environment.libtorch.hasPrefix("2."))
        #expect(environment.memory > 0 && environment.cores > 0 && environment.processor != "unknown")
    }
}
