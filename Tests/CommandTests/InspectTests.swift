import Foundation
import TestSupport
import Testing

@Suite("inspect and draw")
struct InspectTests {
    @Test(
        "The published network has the published parameters",
        arguments: [
            (20, 10_147_427), (32, 21_622_451), (48, 44_424_691),
        ])
    func published(filters: Int, parameters: Int) throws {
        let result = try Command.run(
            "inspect", "auto-deeplab", "--filters", "\(filters)", "--classes", "19", "--json")
        #expect(result.status == 0 && result.errors.isEmpty)
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(object["parameters"] as? Int == parameters)
        #expect(object["path"] as? [Int] == [4, 4, 4, 8, 16, 8, 16, 16, 32, 32, 16, 8])
        let blocks = try #require(object["blocks"] as? [[[String]]])
        #expect(blocks.count == 5 && blocks[0] == [["previous2", "atrous5x5"], ["previous", "separable3x3"]])
        let parts = try #require(object["parts"] as? [String: [String: Int]])
        #expect(parts.keys.sorted() == ["aspp", "backbone", "decoder"])
        #expect(parts.values.compactMap { $0["parameters"] }.reduce(0, +) == parameters)
        let multiplyAdds = try #require(object["multiplyAdds"] as? Int)
        #expect(parts.values.compactMap { $0["multiplyAdds"] }.reduce(0, +) == multiplyAdds)
    }

    @Test("Without --json a table, whose total is the published one")
    func table() throws {
        let result = try Command.run("inspect", "auto-deeplab")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.output.contains("12 layers at strides 4 4 4 8 16 8 16 16 32 32 16 8\n"))
        #expect(result.output.contains("block1 = atrous5x5(previous2) + separable3x3(previous)\n"))
        #expect(result.output.contains("total         10,147,427 parameters"))
    }

    @Test("Windows are counted as they are gone through")
    func windows() throws {
        let result = try Command.run("inspect", "auto-deeplab", "--size", "513x513", "--window", "257")
        #expect(result.status == 0 && result.output.contains(" windows of 257x257\n"), "\(result.errors)")
    }

    @Test("A genotype file is read, and a damaged one is bad data")
    func files() throws {
        let folder = try TemporaryFolder()
        let good = try folder.write(
            """
            {"version": 1, "layers": 2, "blocks": 1, "path": [4, 8],
             "cell": [[["previous", "skip"], ["previous2", "separable3x3"]]]}
            """, to: "good.json")
        #expect(try Command.run("inspect", good, "--size", "65x129").status == 0)
        let bad = try folder.write("{\"version\": 1}", to: "bad.json")
        let result = try Command.run("inspect", bad)
        #expect(result.status == 65 && result.output.isEmpty)
        #expect(result.errors.hasPrefix("error: \(bad): ") && result.errors.filter(\.isNewline).count == 1)
    }

    @Test("A drawing is written, and its path is the result")
    func draw() throws {
        let folder = try TemporaryFolder()
        let result = try Command.run("draw", "auto-deeplab", "--output", folder.file("n.svg"))
        #expect(result.status == 0 && result.output == folder.file("n.svg") + "\n")
        #expect(try String(contentsOfFile: folder.file("n.svg"), encoding: .utf8).contains("<svg"))
    }
}
