import Configurations
import Datasets
import Foundation
import Images
import Planning
import TestSupport
import Testing

/// Classes for masks that nobody has named classes for.
@Suite struct ClassProposalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Grey values, of one row each.
    private func proposal(_ masks: [[UInt8]]) throws -> ClassProposal {
        for (number, values) in masks.enumerated() {
            try folder.write(
                Array("P5 \(values.count) 1 255\n".utf8) + values, to: "masks/\(number).pgm")
            try folder.write(
                Array("P6 \(values.count) 1 255\n".utf8) + [UInt8](repeating: 9, count: 3 * values.count),
                to: "images/\(number).ppm")
        }
        return try propose()
    }

    private func propose() throws -> ClassProposal {
        var options = DatasetOptions()
        options.acceptsUnnamedClasses = true
        return try ClassProposal(Dataset(root: folder.path, layout: .folders, options: options))
    }

    /// The labels that masks have once the proposal is settled.
    private func labels(_ proposal: ClassProposal) throws -> [UInt8] {
        try folder.write(proposal.classFile, to: "own.txt")
        var data = DataConfiguration()
        data.root = folder.path
        proposal.settle(&data, classFile: folder.file("own.txt"))
        let dataset = try data.dataset()
        return try dataset.samples("train").flatMap { try dataset.reader().read($0).mask.labels }
    }

    @Test func blackAndWhite() throws {
        let found = try proposal([[0, 0, 255], [255, 0, 0]])
        #expect(found.classFile == "background\nforeground\n")
        #expect(try labels(found) == [0, 0, 1, 1, 0, 0])
    }

    /// A ramp of all shades between two flat ones, ten times as long each.
    @Test func blackAndWhiteWithSmoothedEdges() throws {
        let ramp = (0..<32).map { UInt8(8 * $0 + 4) }
        let flat = { (value: UInt8) in [UInt8](repeating: value, count: 300) }
        let found = try proposal([flat(0) + ramp + flat(255), flat(255) + ramp.reversed() + flat(0)])
        #expect(found.classFile == "background\nforeground\n" && found.note.contains("smoothed edges"))
        let whole = try labels(found)
        let ones = whole.indices.filter { whole[$0] == 1 }
        // 16 shades of each ramp are below the half.
        #expect(ones == Array(316..<632) + Array(632..<948))
    }

    @Test func aRampAloneIsNoBlackAndWhite() throws {
        let found = try proposal([(0..<64).map { UInt8(4 * $0) }])
        #expect(found.count == 64)
    }

    @Test func indicesWithIgnoredOnes() throws {
        let found = try proposal([[0, 1, 255], [3, 2, 1]])
        #expect(found.classFile == "background\nclass-1\nclass-2\nclass-3\n")
        #expect(try labels(found) == [0, 1, 255, 3, 2, 1])
    }

    @Test func greysThatWereMadeToBeLookedAt() throws {
        let found = try proposal([[0, 128, 255], [128, 128, 0]])
        #expect(found.count == 3)
        #expect(try labels(found) == [0, 1, 2, 1, 1, 0])
    }

    @Test func colours() throws {
        try folder.write(Array("P6 3 1 255\n".utf8) + [0, 0, 0, 255, 0, 0, 0, 0, 255], to: "masks/0.ppm")
        try folder.write(Array("P6 3 1 255\n".utf8) + [UInt8](repeating: 9, count: 9), to: "images/0.ppm")
        let found = try propose()
        #expect(found.classFile == "background #000000\nclass-1 #0000ff\nclass-2 #ff0000\n")
        #expect(try labels(found) == [0, 2, 1])
    }

    @Test func aPhotographIsNoMask() throws {
        let pixels = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 37 % 251) }
        try folder.write(Array("P6 100 1 255\n".utf8) + pixels, to: "masks/0.ppm")
        try folder.write(Array("P6 100 1 255\n".utf8) + pixels, to: "images/0.ppm")
        let error = #expect(throws: DataError.self) { try propose() }
        #expect(error?.problem.contains("too many different values") == true)
    }
}
