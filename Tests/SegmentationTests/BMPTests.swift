import Foundation
import Images
import TestSupport
import Testing

/// BMP of the kinds that no library here writes, built by hand.
@Suite struct BMPTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private func file(
        width: Int, height: Int, bits: Int, compression: Int = 0, masks: [Int] = [], palette: [UInt8] = [],
        pixels: [UInt8]
    ) throws -> String {
        let start = 54 + masks.count * 4 + palette.count
        var bytes = Array("BM".utf8)
        let sizes: [Int] = [start + pixels.count, 0, start, 40, width, height]
        for value in sizes { bytes += number(value, 4) }
        bytes += number(1, 2) + number(bits, 2)
        let rest: [Int] = [compression, 0, 0, 0, palette.count / 4, 0]
        for value in rest { bytes += number(value, 4) }
        for mask in masks { bytes += number(mask, 4) }
        bytes += palette
        bytes += pixels
        return try folder.write(bytes, to: "a.bmp")
    }

    @Test func runsOfBytes() throws {
        let palette: [UInt8] = [0, 0, 0, 0, 3, 2, 1, 0, 6, 4, 2, 0, 9, 6, 3, 0]
        // The lowest row: three of 1 and one of 2; then 3, 0, 1 as they are; nothing; and two right, one up, one 3.
        let pixels: [UInt8] = [3, 1, 1, 2, 0, 0, 0, 3, 3, 0, 1, 0, 0, 0, 0, 2, 2, 0, 1, 3, 0, 1]
        let path = try file(width: 4, height: 3, bits: 8, compression: 1, palette: palette, pixels: pixels)
        #expect(try readMask(path: path).labels == [0, 0, 3, 0, 3, 0, 1, 0, 1, 1, 1, 2])
        #expect(try readImage(path: path)[2, 0] == Color(3, 6, 9))
    }

    @Test func runsOfHalfBytes() throws {
        let palette = [UInt8](repeating: 0, count: 64)
        // From the top down by the negative height is not for runs: the lowest row comes first here too.
        let pixels: [UInt8] = [5, 0x12, 0, 0, 0, 3, 0x34, 0x50, 2, 0x66, 0, 1]
        let path = try file(width: 5, height: 2, bits: 4, compression: 2, palette: palette, pixels: pixels)
        #expect(try readMask(path: path).labels == [3, 4, 5, 6, 6, 1, 2, 1, 2, 1])
    }

    @Test func sixteenBitsAndMasks() throws {
        // Rows are filled up to four bytes; a negative height means from the top down.
        var path = try file(width: 1, height: -2, bits: 16, pixels: number(0x7C1F, 4) + number(0x03E0, 4))
        #expect(try readImage(path: path).pixels == [255, 0, 255, 0, 255, 0])
        path = try file(
            width: 2, height: 1, bits: 16, compression: 3, masks: [0xF800, 0x7E0, 0x1F],
            pixels: number(0xF81F, 2) + number(0x07E0, 2))
        #expect(try readImage(path: path).pixels == [255, 0, 255, 0, 255, 0])
        path = try file(
            width: 1, height: 1, bits: 32, compression: 3, masks: [0xFF, 0xFF00, 0xFF0000], pixels: [9, 8, 7, 0])
        #expect(try readImage(path: path).pixels == [9, 8, 7])
    }

    @Test func whatIsDamagedIsRefused() throws {
        let palette: [UInt8] = [0, 0, 0, 0, 9, 9, 9, 0]
        for (width, pixels, compression) in [
            (4, [1, 0, 2, 0], 0), (4, [5, 1, 0, 1], 1), (4, [1, 0], 0), (4, [4, 1], 1),
            (Int(Int32.max), [0], 0), (-4, [0, 0, 0, 0], 0), (4, [0, 0, 0, 0], 9),
        ] as [(Int, [UInt8], Int)] {
            let path = try file(
                width: width, height: 1, bits: 8, compression: compression, palette: palette, pixels: pixels)
            let message = failure { _ = try readImage(path: path) }
            #expect(message?.hasPrefix(path + ": ") == true && message?.contains("\n") == false)
        }
    }
}
