import Datasets
import Foundation
import Images
import Segmentation
import TestSupport
import Testing

/// Damaged files: any outcome but an image or one line with the file's name would end the test run.
@Suite struct HostileFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Reads a damaged file as image and as mask; errors must be one line with the name in front.
    private func survive(_ bytes: [UInt8], _ name: String) throws {
        let path = try folder.write(bytes, to: name)
        let limits = ReadLimits(pixels: 4_000_000)
        for message in [
            failure { _ = try readImage(path: path, limits: limits) },
            failure { _ = try readMask(path: path, limits: limits) },
            failure { _ = try readImage(path: path, channels: 4, limits: limits) },
        ] {
            if let message { #expect(message.hasPrefix(path + ": ") && !message.contains("\n")) }
        }
    }

    private func mutate(_ bytes: [UInt8], _ random: inout RandomStream) -> [UInt8] {
        var result = bytes
        for _ in 0...random.below(4) {
            let place = random.below(result.count)
            switch random.below(5) {
            case 0: result[place] = UInt8(random.below(256))
            case 1: result[place] ^= 1 << UInt8(random.below(8))
            case 2: result.removeSubrange(place..<min(place + 1 + random.below(8), result.count))
            case 3:
                result.insert(contentsOf: (0..<1 + random.below(8)).map { _ in UInt8(random.below(256)) }, at: place)
            default: result = Array(result.prefix(max(1, place)))
            }
            if result.isEmpty { result = [0] }
        }
        return result
    }

    @Test func mutatedSmallFiles() throws {
        var random = RandomStream(seed: 11)
        let sources =
            PNGKind.all.filter { $0.width == 7 }.map { $0.builder().bytes() }
            + [JPEGSample.rgb, JPEGSample.cmyk, JPEGSample.oriented(6, littleEndian: false)]
        for source in sources {
            for _ in 0..<60 { try survive(mutate(source, &random), "x.bin") }
        }
    }

    /// Pages and bands, whose numbers and sizes a damaged file may claim to be anything.
    @Test func mutatedBands() throws {
        var random = RandomStream(seed: 15)
        func page(_ samples: Int, isPlanar: Bool, isTiled: Bool) -> TIFFBuilder {
            var result = TIFFBuilder(
                width: 19, height: 17, bits: 16, samples: samples,
                values: (0..<19 * 17 * samples).map { $0 * 77 % 65_536 })
            result.isPlanar = isPlanar
            result.tile = isTiled ? (width: 16, height: 16) : nil
            return result
        }
        let sources = [
            page(4, isPlanar: false, isTiled: false).bytes(), page(4, isPlanar: true, isTiled: true).bytes(),
            TIFFBuilder.bytes(of: (0..<4).map { _ in page(1, isPlanar: false, isTiled: false) }),
            TIFFBuilder.bytes(of: (0..<2).map { _ in page(2, isPlanar: true, isTiled: false) }),
        ]
        for source in sources {
            #expect(try readImage(path: folder.write(source, to: "x.tif"), channels: 4).channels == 4)
            for number in 0..<300 {
                var damaged = source
                // Directories are behind the samples, and what is said there matters most.
                let tail = min(source.count, 700)
                for _ in 0...random.below(3) {
                    let place = number % 2 == 0 ? source.count - 1 - random.below(tail) : random.below(source.count)
                    damaged[place] = UInt8(random.below(256))
                }
                try survive(number % 5 == 4 ? mutate(source, &random) : damaged, "x.tif")
            }
        }
    }

    /// Hundreds of damaged copies of real files of every kind, none of which may cost more memory than the limit allows.
    @Test(.enabled(if: sharedData("camvid") != nil, "../shared/data is not there"))
    func mutatedRealFiles() throws {
        var random = RandomStream(seed: 12)
        let names = [
            "camvid/test/0001TP_008550.jpg", "camvid/testannot/0001TP_008550.png",
            "nuclei/train/00071198d059ba7f.png", "VOCdevkit/VOC2012/SegmentationClass/2007_004189.png",
            "VOCdevkit/VOC2012/JPEGImages/2007_004189.jpg",
            "ADEChallengeData2016/annotations/validation/ADE_val_00000001.png",
        ]
        for name in names {
            guard let path = sharedData(name) else { continue }
            let source = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            _ = try readImage(path: path)
            let before = residentBytes()
            for _ in 0..<150 { try survive(mutate(source, &random), "x.bin") }
            // Twelve bytes for each pixel that the limit lets through, and what the decoders need for themselves.
            #expect(residentBytes() - before < 4_000_000 * 12 + (64 << 20), "\(name)")
        }
    }

    /// Bytes of the process in memory, or 0 where the system does not tell.
    private func residentBytes() -> Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (pages?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    @Test func everyTruncationOfPNGIsAnError() throws {
        let bytes = PNGBuilder(width: 9, height: 7, type: 0, depth: 8, samples: Array(0..<63)).bytes()
        // All but the last four bytes: the checksum of the end chunk, which holds nothing.
        for length in 0..<bytes.count - 4 {
            let path = try folder.write(bytes.prefix(length), to: "x.png")
            #expect(failure { _ = try readMask(path: path) } != nil, "cut to \(length) of \(bytes.count) bytes")
        }
    }

    @Test func lyingMetadataOfJPEGIsPassedOver() {
        var random = RandomStream(seed: 13)
        let bytes = JPEGSample.oriented(8, littleEndian: true)
        #expect(JPEGMetadata(bytes).orientation == 8)
        for _ in 0..<5_000 {
            var damaged = Array(bytes.prefix(60))
            for _ in 0...random.below(3) { damaged[2 + random.below(58)] = UInt8(random.below(256)) }
            #expect((1...8).contains(JPEGMetadata(Array(damaged.prefix(2 + random.below(59)))).orientation))
        }
        #expect(JPEGMetadata([]).orientation == 1)
        #expect(JPEGMetadata([0xFF]).orientation == 1)
    }

    @Test func textFilesOfAnyBytes() throws {
        var random = RandomStream(seed: 14)
        try folder.write("", to: "image.png")
        for _ in 0..<300 {
            let bytes = (0..<random.below(80)).map { _ in
                random.below(3) == 0 ? UInt8(random.below(256)) : Array("ab/.# \t\n0123456789,:".utf8)[random.below(20)]
            }
            let path = try folder.write(bytes, to: "classes.txt")
            if let message = failure({ _ = try ClassTable(classesFile: path) }) { #expect(message.hasPrefix(path)) }
            try folder.write(bytes, to: "train.txt")
            _ = failure {
                _ = try Dataset(root: folder.path, layout: .list, classes: ClassTable(count: 2)).samples(.train)
            }
        }
    }
}
