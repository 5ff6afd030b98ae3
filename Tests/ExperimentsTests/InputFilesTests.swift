import Configurations
import Experiments
import Foundation
import Runs
import TestSupport
import Testing

@Suite("Files that are read are not written")
struct InputFilesTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["sub", "other"] {
            try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
        }
        for name in ["sub/a.png", "other/b.png"] {
            try Data(name.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        }
    }

    private func fault(_ input: String, _ target: String) -> RunError? {
        do {
            try InputFiles([folder.file(input)]).refuse([folder.file(target)])
            return nil
        } catch {
            return error
        }
    }

    @Test("A file is found whatever path leads to it, and both names are told")
    func identity() throws {
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.file("soft.png"), withDestinationPath: "sub/a.png")
        try files.createSymbolicLink(atPath: folder.file("linked"), withDestinationPath: "sub")
        try files.linkItem(atPath: folder.file("sub/a.png"), toPath: folder.file("hard.png"))
        let spellings = [
            "sub/a.png", "sub/./a.png", "sub//a.png", "other/../sub/a.png", "soft.png", "linked/a.png", "hard.png",
        ]
        for target in spellings {
            let error = fault("sub/a.png", target)
            #expect(error?.reason == .overwrites, "\(target)")
            #expect(
                error?.description
                    == "\(folder.file(target)): would overwrite \(folder.file("sub/a.png")), which this command reads: "
                    + "name another place to write to")
            #expect(fault(target, "sub/a.png") != nil, "\(target)")
        }
        for target in ["other/b.png", "sub/none.png", "none/a.png"] { #expect(fault("sub/a.png", target) == nil) }
        // Where the disk takes no notice of case, the other spelling leads to the same file.
        let other = folder.file("SUB/A.PNG")
        #expect((fault("sub/a.png", "SUB/A.PNG") != nil) == files.fileExists(atPath: other))
    }

    @Test("A folder that is replaced takes what is in it along")
    func folders() {
        #expect(fault("sub/a.png", "sub")?.reason == .overwrites)
        #expect(fault("sub/a.png", "other") == nil)
        let inputs = InputFiles([folder.file("sub/a.png"), folder.file("other")])
        #expect(throws: RunError.self) { try inputs.refuse(folder: folder.file("sub")) }
        #expect(throws: RunError.self) { try inputs.refuse(folder: folder.file("other")) }
        #expect(throws: Never.self) { try inputs.refuse(folder: folder.path) }
    }

    @Test("A run may read its own files where it goes on, and nowhere else")
    func run() throws {
        let config = folder.file("sub/config.yaml")
        try Data("seed: 1\n".utf8).write(to: URL(fileURLWithPath: config))
        #expect(throws: RunError.self) { try InputFiles([config]).refuse(run: folder.file("sub")) }
        #expect(throws: Never.self) { try InputFiles([config]).refuse(run: folder.file("other")) }
        let checkpoints = folder.file("sub/checkpoints")
        try FileManager.default.createDirectory(atPath: checkpoints, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: checkpoints + "/last.safetensors"))
        #expect(throws: Never.self) { try InputFiles([config]).refuse(run: folder.file("sub")) }
    }

    @Test("A folder of something else is no run to go on with, and nothing is made in it")
    func strangers() throws {
        let error = #expect(throws: RunError.self) { _ = try RunFolder(at: folder.path, resume: true) }
        #expect(error?.reason == .notEmpty)
        #expect(
            error?.description
                == "\(folder.path): is not empty and holds no run to go on with: name another folder")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["other", "sub"])
    }

    @Test("A start that fails takes along the folders that it made, and nothing else")
    func leftovers() throws {
        let files = FileManager.default
        _ = try RunFolder(at: folder.file("new/above/run"), resume: false)
        #expect(!files.fileExists(atPath: folder.file("new")))
        try files.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
        _ = try RunFolder(at: folder.file("empty"), resume: false)
        #expect(files.fileExists(atPath: folder.file("empty")))
        do {
            let run = try RunFolder(at: folder.file("kept/run"), resume: false)
            try run.write(Configuration())
        }
        #expect(files.fileExists(atPath: folder.file("kept/run/config.yaml")))
    }

    @Test("A run is at work for as long as its folder is held")
    func watched() throws {
        var run: RunFolder? = try RunFolder(at: folder.file("run"), resume: false)
        try run?.write(Configuration())
        #expect(try LiveRun(folder: folder.file("run")).isRunning)
        run = nil
        #expect(try !LiveRun(folder: folder.file("run")).isRunning)
    }
}
