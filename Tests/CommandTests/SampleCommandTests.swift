import Foundation
import TestSupport
import Testing

@Suite("sample, and costs of a configuration's networks")
struct SampleCommandTests {
    private struct Row: Decodable, Equatable {
        var file: String
        var filters: Int
        var parameters: Int
        var multiplyAdds: Int
        var relativeMultiplyAdds: Double?
    }

    private func rows(_ arguments: [String]) throws -> [Row] {
        let result = try Command.run(["sample", "--json"] + arguments)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        return try JSONDecoder().decode([Row].self, from: Data(result.output.utf8))
    }

    @Test("Genotypes of a wanted cost are written, the same for a seed, and cost what inspect says")
    func sample() throws {
        let folder = try TemporaryFolder()
        let options = [
            "--preset", "camvid-small", "--multiply-adds", "0.9:1.1", "--of", "deeplabv3:8", "--size", "385x481",
        ]
        let first = try rows(["--count", "12", "--seed", "5", "--output", folder.file("a")] + options)
        #expect(first.map(\.file).first == folder.file("a/random-01.json") && first.count == 12)
        #expect(first.allSatisfy { (0.9...1.1).contains($0.relativeMultiplyAdds ?? 0) && $0.filters == 12 })
        _ = try rows(["--count", "12", "--seed", "5", "--output", folder.file("b")] + options)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("a")).sorted()
        let files = try ["a", "b"].map { run in
            try names.map { try Data(contentsOf: URL(fileURLWithPath: folder.file("\(run)/\($0)"))) }
        }
        #expect(files[0] == files[1] && Set(files[0]).count == 12)

        let inspected = try Command.run(
            "inspect", first[3].file, "--preset", "camvid-small", "--size", "385x481", "--json")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(inspected.output.utf8)) as? [String: Any])
        #expect(object["multiplyAdds"] as? Int == first[3].multiplyAdds)
        #expect(object["parameters"] as? Int == first[3].parameters)
        #expect(object["filters"] as? Int == 12 && object["classes"] as? Int == 11)
        // As many layers and blocks as what they are set against.
        #expect((object["path"] as? [Int])?.count == 8 && (object["blocks"] as? [Any])?.count == 5)

        let filled = try Command.run(["sample", "--count", "1", "--output", folder.file("a")])
        #expect(filled.status == 64 && filled.errors.contains("is not empty"))
    }

    @Test("Genotypes have long skips where they are asked for")
    func longSkips() throws {
        let folder = try TemporaryFolder()
        func skipping(_ output: String, _ options: [String]) throws -> Int {
            let rows = try rows(["--count", "30", "--layers", "7", "--output", folder.file(output)] + options)
            return try rows.count { try String(contentsOfFile: $0.file, encoding: .utf8).contains("\"skips\"") }
        }
        #expect(try skipping("plain", []) == 0)
        let found = try skipping("flag", ["--long-skips"])
        #expect(try found > 0 && skipping("setting", ["--set", "search.longSkips=on"]) == found)
        let inspected = try Command.run("inspect", "unet:4", "--json")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(inspected.output.utf8)) as? [String: Any])
        #expect((object["skips"] as? [Any])?.map { $0 as? Int } == [nil, nil, nil, nil, nil, 2, 1])
        #expect(try Command.run("inspect", "unet:4").output.contains("\nlong skips from layer 2 to 6, 1 to 7\n"))
    }

    @Test("With data, costs are counted for their classes and images")
    func data() throws {
        let folder = try TemporaryFolder()
        #expect(try Command.run("data", "demo", "--count", "5", "--output", folder.file("scenes")).status == 0)
        func inspect(_ options: [String]) throws -> String {
            let result = try Command.run(["inspect", "deeplabv3", "--preset", "instant"] + options)
            #expect(result.status == 0, "\(result.errors)")
            return result.output
        }
        #expect(try inspect(["--data", folder.file("scenes")]).contains("4 filters, 7 classes, image 97x129\n"))
        let typed = ["--data", folder.file("scenes"), "--filters", "6", "--classes", "3"]
        #expect(try inspect(typed).contains("6 filters, 3 classes, image 97x129\n"))
        #expect(try inspect(["--set", "train.filters=9"]).contains("9 filters, 19 classes, image 1025x2049\n"))
        let large = try Command.run("inspect", "deeplabv3", "--size", "20000x20000")
        #expect(large.status == 65 && large.errors == "error: height: 20000 is not between 1 and 16384\n")
    }

    @Test(
        "What cannot be drawn is one line",
        arguments: [
            (["--count", "0"], 64, "--count must be from 1 to 10000"),
            (["--count", "1", "--multiply-adds", "0.9:1.1"], 64, "--multiply-adds needs --of GENOTYPE"),
            (["--count", "1", "--any-filters"], 64, "--any-filters needs --multiply-adds"),
            (["--count", "1", "--layers", "65"], 65, "layers: 65 is not between 1 and 64"),
            (["--count", "1", "--multiply-adds", "1.1:0.9", "--of", "deeplabv3"], 64, "'1.1:0.9' is invalid"),
            (["--count", "99", "--layers", "1", "--blocks", "1"], 65, "only 98 of 99 genotypes found"),
            (["--count", "1", "--multiply-adds", "9:9.1", "--of", "deeplabv3"], 65, "widen the range, or let each"),
        ])
    func faults(arguments: [String], status: Int32, words: String) throws {
        let folder = try TemporaryFolder()
        let result = try Command.run(["sample", "--output", folder.file("out")] + arguments)
        #expect(result.status == status && result.output.isEmpty)
        #expect(result.errors.contains(words) && result.errors.filter(\.isNewline).count == 1, "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
    }
}
