import Foundation
import Images
import Testing

/// Default colours as people see them: CIELAB distances, with colour vision simulated by the matrices of Machado,
/// Oliveira and Fernandes (2009) at full severity.
@Suite("Palette")
struct PaletteTests {
    private enum Vision: CaseIterable {
        case normal, protanopia, deuteranopia, tritanopia

        var matrix: [[Double]] {
            switch self {
            case .normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
            case .protanopia:
                [
                    [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
                ]
            case .deuteranopia:
                [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
            case .tritanopia:
                [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
            }
        }

        /// CIELAB (D65) of what such eyes see of a colour.
        func lab(_ color: Color) -> [Double] {
            let linear = [color.red, color.green, color.blue].map { channel -> Double in
                let value = Double(channel) / 255
                return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
            }
            func times(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
                matrix.map { row in zip(row, vector).map { $0 * $1 }.reduce(0, +) }
            }
            let seen = times(matrix, linear).map { min(max($0, 0), 1) }
            let xyz = times(
                [
                    [0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                    [0.0193339, 0.1191920, 0.9503041],
                ], seen)
            let f = zip(xyz, [0.95047, 1, 1.08883]).map { value, white -> Double in
                let share = value / white
                return share > 0.008856 ? cbrt(share) : 7.787 * share + 16.0 / 116
            }
            return [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])]
        }

        /// The least distance between two of some colours.
        func leastDistance(_ colors: [Color]) -> Double {
            let seen = colors.map { lab($0) }
            var least = Double.infinity
            for (index, one) in seen.enumerated() {
                for other in seen[..<index] {
                    least = min(least, zip(one, other).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot())
                }
            }
            return least
        }
    }

    @Test("The simulation finds VOC's first classes hard to tell apart")
    func simulation() {
        // Red and green of one brightness: far apart for most, not for some.
        let pair = [Color(128, 0, 0), Color(64, 64, 0)]
        #expect(Vision.normal.leastDistance(pair) > 40)
        #expect(Vision.deuteranopia.leastDistance(pair) < 15)
        // White and black are 100 apart for everybody.
        for vision in Vision.allCases {
            #expect(abs(vision.leastDistance([Color(0, 0, 0), Color(255, 255, 255)]) - 100) < 1)
        }
    }

    @Test("The first twelve defaults and black differ for every colour vision")
    func firstColours() {
        let colors = [Color(0, 0, 0)] + Palette.standard.prefix(12)
        for vision in Vision.allCases { #expect(vision.leastDistance(colors) > 15, "\(vision)") }
        // Two or three classes, the usual case, differ much.
        #expect(Vision.deuteranopia.leastDistance(Array(Palette.standard.prefix(3))) > 40)
        #expect(Vision.protanopia.leastDistance(Array(Palette.standard.prefix(3))) > 40)
    }

    @Test("All 256 are distinct, and visibly so")
    func allColours() {
        #expect(Palette.standard.count == 256 && Set(Palette.standard).count == 256)
        for vision in [Vision.normal, .protanopia, .deuteranopia] {
            #expect(vision.leastDistance(Palette.standard + [Color(0, 0, 0), Color(255, 255, 255)]) > 4)
        }
    }
}
