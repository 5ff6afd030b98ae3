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

    @Test("doctor names what is wrong with a data set")
    func doctor() throws {
        let result = try Command.run("doctor", "--data", "/no/such/folder")
        #expect(result.status == 65)
        #expect(result.output.contains("libtorch     2."))
        #expect(result.errors == "error: /no/such/folder: is no folder: name the data set's root with --data\n")
    }
}
