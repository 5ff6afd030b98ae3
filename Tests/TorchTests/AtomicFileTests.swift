import Foundation
import TestSupport
import Testing
import Torch

@Suite("Atomic files")
struct AtomicFileTests {
    @Test("A file appears with the commit, and nothing stays beside it")
    func commit() throws {
        let folder = try TemporaryFolder()
        let file = try AtomicFile(path: folder.file("a"))
        try file.write(Data("one ".utf8))
        try file.write(Data())
        try file.write(Data("two".utf8))
        #expect(!FileManager.default.fileExists(atPath: folder.file("a")))
        try file.commit()
        #expect(try String(contentsOfFile: folder.file("a"), encoding: .utf8) == "one two")
        #expect(try folder.contents() == ["a"])
    }

    @Test("Without a commit the old file stays, and nothing beside it")
    func dropped() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write(Data("old".utf8), to: folder.file("a"))
        do {
            let file = try AtomicFile(path: folder.file("a"))
            try file.write(Data("new".utf8))
        }
        #expect(try String(contentsOfFile: folder.file("a"), encoding: .utf8) == "old")
        #expect(try folder.contents() == ["a"])
    }

    @Test("A replaced file keeps its permissions, and a link stays a link")
    func replaced() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write(Data("old".utf8), to: folder.file("a"))
        #expect(chmod(folder.file("a"), 0o640) == 0)
        #expect(symlink("a", folder.file("link")) == 0)
        try AtomicFile.write(Data("new".utf8), to: folder.file("link"))
        var status = stat()
        #expect(lstat(folder.file("link"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(stat(folder.file("a"), &status) == 0 && status.st_mode & 0o777 == 0o640)
        #expect(try String(contentsOfFile: folder.file("a"), encoding: .utf8) == "new")
    }

    @Test("Names without a folder are names in the current one")
    func relative() throws {
        let name = "autodeeplab-test-\(UUID().uuidString)"
        try AtomicFile.write(Data("x".utf8), to: name)
        #expect(unlink(name) == 0)
    }

    @Test("What can't be written is said in one line")
    func failures() throws {
        let folder = try TemporaryFolder()
        let missing = folder.file("none/a")
        let error = try #require(throws: FileError.self) { try AtomicFile.write(Data(), to: missing) }
        #expect(error.description.hasPrefix("\(missing): cannot create a file in \(folder.path)/none: No such file"))
        for path in [folder.path, "/dev/null"] {
            let error = try #require(throws: FileError.self) { try AtomicFile.write(Data(), to: path) }
            #expect(error.description == "\(path): cannot write: there is something else than a file of that name")
        }
    }

    @Test("Below a folder no link is followed, and a link is not replaced")
    func below() throws {
        let folder = try TemporaryFolder()
        for name in ["run", "run/sub", "outside"] { #expect(mkdir(folder.file(name), 0o700) == 0) }
        #expect(symlink("run", folder.file("link")) == 0)
        try AtomicFile.write(Data("new".utf8), to: folder.file("link/sub/a"), below: folder.file("link"))
        #expect(try String(contentsOfFile: folder.file("run/sub/a"), encoding: .utf8) == "new")
        try AtomicFile.write(Data("old".utf8), to: folder.file("outside/a"))
        #expect(symlink("../outside", folder.file("run/out")) == 0)
        #expect(symlink("../../outside/a", folder.file("run/sub/b")) == 0)
        for name in ["run/out/a", "run/sub/b", "run/none/a", "outside/a", "run/../outside/a"] {
            #expect(throws: FileError.self, "\(name)") {
                try AtomicFile.write(Data("new".utf8), to: folder.file(name), below: folder.file("run"))
            }
        }
        #expect(try String(contentsOfFile: folder.file("outside/a"), encoding: .utf8) == "old")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("outside")) == ["a"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("run/sub")).sorted() == ["a", "b"])
    }

    @Test("What dead processes left is removed, and nothing else")
    func leftovers() throws {
        let folder = try TemporaryFolder()
        let file = try AtomicFile(path: folder.file("a"))
        try file.write(Data("whole".utf8))
        let own = try folder.contents()
        for name in [".autodeeplab-dead.tmp", "x.tmp", ".autodeeplab-x"] {
            #expect(FileManager.default.createFile(atPath: folder.file(name), contents: Data("half".utf8)))
        }
        #expect(symlink("x.tmp", folder.file(".autodeeplab-link.tmp")) == 0)
        #expect(mkfifo(folder.file(".autodeeplab-pipe.tmp"), 0o600) == 0)
        AtomicFile.removeLeftovers(in: folder.path)
        #expect(
            try folder.contents().sorted()
                == (own + [".autodeeplab-link.tmp", ".autodeeplab-pipe.tmp", ".autodeeplab-x", "x.tmp"]).sorted())
        try file.commit()
        #expect(try String(contentsOfFile: folder.file("a"), encoding: .utf8) == "whole")
        AtomicFile.removeLeftovers(in: folder.file("none"))
    }
}
