import Foundation
import TestSupport
import Testing

@Suite("data and doctor")
struct DataTests {
    @Test("data demo writes a data set that doctor can read, and refuses a filled folder")
    func demo() throws {
        let folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--output", folder.file("scenes"), "--json")
        #expect(made.status == 0)
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any])
        #expect(object["images"] as? [String: Int] == ["train": 200, "val": 40, "test": 40])

        let doctor = try Command.run("doctor", "--preset", "demo", "--data", folder.file("scenes"), "--json")
        #expect(doctor.status == 0)
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(doctor.output.utf8)) as? [String: Any])
        let data = try #require(report["data"] as? [String: Any])
        #expect(data["images"] as? [String: Int] == ["train": 200, "val": 40, "test": 40])
        #expect((report["devices"] as? [String])?.contains("cpu") == true)

        let again = try Command.run("data", "demo", "--output", folder.file("scenes"))
        #expect(again.status == 64)
        #expect(again.errors == "error: \(folder.file("scenes")): is not empty: name another folder, or remove it\n")
    }

    @Test(
        "A killed data demo leaves no data set, and the next one makes it whole",
        .enabled(if: PreloadedLibrary.isPossible, "needs Linux"))
    func killedDemo() throws {
        let folder = try TemporaryFolder()
        let library = try PreloadedLibrary.build("Faults/files.c", in: folder)
        func make(_ name: String, _ settings: [String: String]) throws -> Bool {
            let command = try StartedCommand(
                ["data", "demo", "--count", "5", "--output", folder.file(name)], errorFile: folder.file("errors"),
                environment: settings.merging(["LD_PRELOAD": library, "FILES_WITHIN": "/" + name + "/"]) { $1 })
            let (status, lines) = try command.end()
            let isKilled = command.process.terminationReason == .uncaughtSignal
            #expect(isKilled || status == 0, "\(lines)")
            return isKilled
        }
        func contents(_ name: String) -> [String: Data?] {
            let names = FileManager.default.enumerator(atPath: folder.file(name))?.compactMap { $0 as? String } ?? []
            return Dictionary(
                uniqueKeysWithValues: names.map {
                    ($0, FileManager.default.contents(atPath: folder.file(name + "/" + $0)))
                })
        }
        #expect(try !make("whole", ["FILES_LOG": folder.file("log")]))
        let whole = contents("whole")
        let calls = try folder.text("log").split(separator: "\n").count
        for call in [1, calls / 2, calls - 2, calls - 1, calls] {
            #expect(try make("scenes", ["FILES_KILL": "\(call)"]), "call \(call)")
            #expect(contents("scenes")["images"] == nil, "call \(call)")
            #expect(try !make("scenes", [:]))
            #expect(contents("scenes") == whole, "after call \(call)")
            try FileManager.default.removeItem(atPath: folder.file("scenes"))
        }
        // What somebody has put beside what was left is not taken for the program's own.
        #expect(try make("scenes", ["FILES_KILL": "\(calls / 2)"]))
        let own = try folder.place("scenes/images/own.png")
        try Data().write(to: URL(fileURLWithPath: own))
        let refused = try Command.run("data", "demo", "--count", "5", "--output", folder.file("scenes"))
        #expect(refused.status == 64 && refused.errors.contains("is not empty"), "\(refused.errors)")
        #expect(FileManager.default.fileExists(atPath: own))
    }

    @Test("doctor names what is wrong with a data set")
    func doctor() throws {
        let result = try Command.run("doctor", "--data", "/no/such/folder")
        #expect(result.status == 65)
        #expect(result.output.contains("libtorch     2."))
        #expect(result.errors == "error: /no/such/folder: is no folder: name the folder of the data set (data.root)\n")
    }
}
