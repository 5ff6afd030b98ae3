import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Images of more than 8 bits: one range for a data set.
@Suite struct ValueRangeTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func png(_ samples: [Int], type: UInt8 = 0, depth: Int = 16, to name: String) throws -> String {
        let count = samples.count / PNGBuilder.channels(type)
        return try folder.write(
            PNGBuilder(width: count, height: 1, type: type, depth: depth, samples: samples).bytes(), to: name)
    }

    @Test func valuesAreSpreadOverTheRange() throws {
        let path = try png([0, 100, 101, 600, 1_100, 4_080, 65_535], to: "a.png")
        let range = try #require(ValueRange(low: 100, high: 1_100))
        // (v - 100) * 255 / 1000, rounded, from 0 to 255.
        let expected: [UInt8] = [0, 0, 0, 128, 255, 255, 255]
        #expect(try readImage(path: path, range: range).pixels == expected.flatMap { [$0, $0, $0] })
        // As models before had it: the upper 8 bits.
        let upper: [UInt8] = [0, 0, 0, 2, 4, 15, 255]
        #expect(try readImage(path: path).pixels == upper.flatMap { [$0, $0, $0] })
        let noted = try readImage(path: path, limits: ReadLimits()) { ($0, $1) }
        #expect(noted.notes == [.upperBits(16)] && noted.values == 0...65_535)
        #expect(try readImage(path: path, limits: ReadLimits(), range: range) { ($0, $1) }.notes.isEmpty)
        // Images of 8 bits stay as they are.
        let plain = try png([0, 100, 255], depth: 8, to: "b.png")
        #expect(try readImage(path: plain, range: range).pixels == [0, 0, 0, 100, 100, 100, 255, 255, 255])
        for (low, high) in [(5, 5), (-1, 9), (0, 65_536)] { #expect(ValueRange(low: low, high: high) == nil) }
    }

    @Test func theSmallestUsualDepthIsFound() {
        for (value, high) in [
            (0, 255), (255, 255), (256, 1_023), (1_023, 1_023), (4_080, 4_095), (4_096, 16_383), (16_384, 65_535),
            (65_535, 65_535),
        ] {
            #expect(ValueRange(holding: value).high == high)
        }
    }

    /// Every format that holds more than 8 bits, and none of the alpha channels, which are always full.
    @Test func rangesOfEveryFormat() throws {
        let tiff = TIFFBuilder(
            width: 2, height: 1, bits: 16, samples: 4, photometric: 2, values: [1, 2, 3_000, 65_535, 4, 5, 6, 65_535])
        let whiteIsZero = TIFFBuilder(width: 2, height: 1, bits: 12, photometric: 0, values: [4_095, 1_095])
        let pgm: [UInt8] = Array("P5 2 1 65535\n".utf8) + [0, 0, 11, 184]
        let paths = [
            try png([5, 3_000], to: "grey.png"),
            try png([5, 65_535, 3_000, 65_535], type: 4, to: "alpha.png"),
            try png([5, 6, 7, 65_535, 8, 3_000, 9, 65_535], type: 6, to: "rgba.png"),
            try folder.write(tiff.bytes(), to: "a.tif"), try folder.write(whiteIsZero.bytes(), to: "b.tif"),
            try folder.write(pgm, to: "a.pgm"),
        ]
        for path in paths {
            let samples = [Sample(name: "a", image: path, mask: nil)]
            let found = try #require(ValueRange.found(in: samples, limits: ReadLimits()), "\(path)")
            #expect(found.range.high == 4_095 && found.note.contains("up to 3000"), "\(path): \(found.note)")
            let image = try readImage(path: path, range: found.range)
            #expect(image.pixels.max() == UInt8((3_000 * 255 + 2_047) / 4_095), "\(path)")
        }
        let plain = try png([1, 2], depth: 8, to: "plain.png")
        #expect(ValueRange.found(in: [Sample(name: "a", image: plain, mask: nil)], limits: ReadLimits()) == nil)
    }

    @Test func aCheckTellsDepthAndRange() throws {
        for (name, values) in [("0", [0, 4_080]), ("1", [16, 2_000])] {
            _ = try png(values, to: "images/train/\(name).png")
            _ = try png([0, 1], depth: 8, to: "masks/train/\(name).png")
        }
        _ = try png([7, 9_000], to: "images/val/0.png")
        _ = try png([0, 1], depth: 8, to: "masks/val/0.png")
        try folder.write("a\nb\n", to: "classes.txt")
        let report = try DatasetCheck(Dataset(root: folder.path), threads: 1).run()
        let notes = report.notes.joined(separator: "\n")
        #expect(notes.contains("values up to 4080: 0 to 4095 becomes black to white"))
        #expect(notes.contains("3 images have 16 bits a sample, values from 0 to 9000"))
        #expect(notes.contains("1 images have values above 4095, which are cut off"))
        // (0 + 254 + 1 + 125 + 0 + 255) / 6, and not the 8 that their upper bits have.
        #expect(report.mean.allSatisfy { abs($0 - 635.0 / 6) < 0.01 }, "\(report.mean)")
    }

    @Test func tilesAreScaledToo() throws {
        let mask = try png([0, 1, 2], depth: 8, to: "mask.png")
        let rgb = TIFFBuilder(
            width: 3, height: 1, bits: 16, samples: 3, photometric: 2,
            values: [0, 0, 0, 500, 500, 500, 1_000, 0, 9_999])
        let images = [
            try png([0, 0, 0, 500, 500, 500, 1_000, 0, 9_999], type: 2, to: "a.png"),
            try folder.write(rgb.bytes(), to: "a.tif"),
        ]
        let tile = Tile(x: 1, y: 0, width: 2, height: 1, cache: folder.path)
        for image in images {
            for (high, expected) in [(1_000, [128, 128, 128, 255, 0, 255]), (10_000, [13, 13, 13, 26, 0, 255])] {
                let reader = SampleReader(labels: LabelMap(classes: 3), range: ValueRange(low: 0, high: high))
                let part = try reader.read(Sample(name: "a", image: image, mask: mask, tile: tile))
                #expect(part.image.pixels == expected.map { UInt8($0) })
                #expect(part.mask.labels == [1, 2])
            }
        }
    }

    /// Of one kind of note three files are named, each once.
    @Test func notesAreBounded() {
        let notes = ReadNotes()
        for file in ["a", "b", "a", "c", "d", "e"] { notes.add([.pages, .frames], file: file) }
        let told = notes.take()
        #expect(told.filter { $0.contains("several pages") }.count == 3)
        #expect(
            told.filter { $0.contains("no more are named") }
                == ["d: is another one of that kind; no more are named"]
                .flatMap { [$0, $0] })
        #expect(notes.take().isEmpty)
    }
}
