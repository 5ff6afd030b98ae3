import SearchSpace
import Testing

/// Encoders as plain values against what is known of the published ones.
@Suite struct EncoderLayoutTests {
    @Test(arguments: [
        (EncoderKind.efficientNetLite0, 2_958_848, 4_652_008), (.efficientNetLite1, 3_723_520, 5_416_680),
        (.efficientNetLite2, 4_357_952, 6_092_072), (.mobileNetV2, 1_811_712, 3_504_872),
    ])
    func parameters(kind: EncoderKind, withoutHead: Int, withHead: Int) throws {
        let layout = EncoderLayout(kind)
        let count = layout.convolutions.reduce(0) { $0 + $1.layout.parameters }
        #expect(count == withoutHead)
        // The head: 1x1 to 1280 with its batch norm, and 1000 classes.
        let last = try #require(layout.features.last).channels
        #expect(count + last * 1_280 + 2 * 1_280 + 1_281 * 1_000 == withHead)
    }

    @Test(arguments: [
        (EncoderKind.efficientNetLite0, [0, 2, 4, 10, 15], [16, 24, 40, 112, 320]),
        (.efficientNetLite1, [0, 3, 6, 14, 20], [16, 24, 40, 112, 320]),
        (.efficientNetLite2, [0, 3, 6, 14, 20], [16, 24, 48, 120, 352]),
        (.mobileNetV2, [0, 2, 5, 12, 16], [16, 24, 32, 96, 320]),
    ])
    func features(kind: EncoderKind, blocks: [Int], channels: [Int]) {
        let features = EncoderLayout(kind).features
        #expect(features.map(\.stride) == [2, 4, 8, 16, 32])
        #expect(features.map(\.block) == blocks)
        #expect(features.map(\.channels) == channels)
    }

    @Test(arguments: EncoderKind.allCases, [2, 4, 8, 16, 32]) func upToAStride(kind: EncoderKind, last: Int) {
        let (first, whole) = (EncoderLayout(kind, upTo: last), EncoderLayout(kind))
        #expect(first.features == whole.features.filter { $0.stride <= last })
        #expect(first.blocks == Array(whole.blocks.prefix(first.blocks.count)))
        #expect(first.blocks.count - 1 == first.features.last?.block && first.kind == kind)
    }

    /// The stages' channels, scaled by w = 1.1 as the authors' code does it.
    @Test func liteTwoIsScaledByTheRule() {
        let scaled = [24, 40, 80, 112, 192, 320].map { channels -> Int in
            let wanted = 1.1 * Double(channels)
            let rounded = max(8, (Int(exactly: ((wanted + 4) / 8).rounded(.down)) ?? 0) * 8)
            return Double(rounded) < 0.9 * wanted ? rounded + 8 : rounded
        }
        var seen: [Int] = []
        for block in EncoderLayout(.efficientNetLite2).blocks.dropFirst()
        where block.projection.outputChannels != seen.last { seen.append(block.projection.outputChannels) }
        #expect(seen == scaled)
    }

    /// The published 300 million multiply-adds of MobileNetV2 at 224 pixels, head included.
    @Test func multiplyAdds() throws {
        let body = EncoderLayout(.mobileNetV2).convolutions.reduce(0) {
            $0 + $1.layout.multiplyAdds(outputSize: (224 / $1.stride) * (224 / $1.stride))
        }
        let all = body + 49 * 320 * 1_280 + 1_280 * 1_000
        #expect((300_000_000..<301_000_000).contains(all))
    }
}
