import Foundation
import Runs
import TestSupport
import Testing

@Suite("Folder of checkpoints")
struct CheckpointFolderTests {
    private let temporary: TemporaryFolder
    private let checkpoints: CheckpointFolder

    init() throws {
        temporary = try TemporaryFolder()
        checkpoints = CheckpointFolder(paths: RunPaths(folder: temporary.path), keep: 3)
        try FileManager.default.createDirectory(
            atPath: temporary.file("checkpoints"), withIntermediateDirectories: false)
    }

    private func write(step: Int) throws {
        var checkpoint = Checkpoint()
        try checkpoint.set("step", step)
        try checkpoints.write(checkpoint)
    }

    private func file(_ name: String) -> String { temporary.file("checkpoints/" + name + ".safetensors") }

    /// The steps of the checkpoints that are there, the newest first.
    private var steps: [Int] {
        get throws {
            try ["last", "last-1", "last-2"].map(file).filter { FileManager.default.fileExists(atPath: $0) }.map {
                try Checkpoint(at: $0).value("step", as: Int.self, in: $0)
            }
        }
    }

    @Test("A kill between two names leaves no checkpoint doubled", arguments: ["a second name", "a copy"])
    func doubled(how: String) throws {
        for step in 1...3 { try write(step: step) }
        // As far as the next save comes that is killed before the new file gets its name.
        let files = FileManager.default
        try files.removeItem(atPath: file("last-2"))
        try files.moveItem(atPath: file("last-1"), toPath: file("last-2"))
        if how == "a copy" {
            try files.copyItem(atPath: file("last"), toPath: file("last-1"))
        } else {
            try files.linkItem(atPath: file("last"), toPath: file("last-1"))
        }
        #expect(try steps == [3, 3, 2])
        #expect(try checkpoints.restore(SilentReporter())?.value("step", as: Int.self, in: "") == 3)
        try write(step: 4)
        #expect(try steps == [4, 3, 2])
    }

    @Test("Nothing is renamed by way of a link in place of the folder")
    func link() throws {
        try write(step: 1)
        let files = FileManager.default
        try files.moveItem(atPath: file("last"), toPath: file("last-1"))
        try files.moveItem(atPath: temporary.file("checkpoints"), toPath: temporary.file("elsewhere"))
        try files.createSymbolicLink(
            atPath: temporary.file("checkpoints"), withDestinationPath: temporary.file("elsewhere"))
        #expect(throws: (any Error).self) { try checkpoints.restore(SilentReporter()) }
        #expect(try files.contentsOfDirectory(atPath: temporary.file("elsewhere")) == ["last-1.safetensors"])
    }
}
