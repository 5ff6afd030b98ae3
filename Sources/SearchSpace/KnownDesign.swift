/// Networks that need no file: the published one, and the known designs that lie in its space (the paper's Figure 2).
///
/// A known design fixes the network level only. All of them use the published cell, so that they differ from
/// `autoDeepLab` in nothing but the path and, for `unet`, its long skips.
public enum KnownDesign: String, CaseIterable, Hashable, Sendable {
    /// The network that the paper found on Cityscapes (Figure 3), with 12 layers.
    case autoDeepLab = "auto-deeplab"
    /// DeepLabv3 with output stride 16: 4, 8, then 16 to the end, as ResNet's first blocks with the last made atrous.
    case deeplabv3 = "deeplabv3"
    /// Convolution and deconvolution: down to 32 as fast as possible, back up to 4 in the last layers.
    case convDeconv = "conv-deconv"
    /// Hourglasses, one behind the other, each from 4 down and back up to 4.
    case stackedHourglass = "stacked-hourglass"
    /// U-Net: down to 32 and back up to 4, with every long skip that this path allows.
    case unet = "unet"

    /// The design with this name.
    ///
    /// - Parameter name: one of the raw values.
    /// - Returns: the design.
    /// - Throws: `SearchSpaceError` naming the nearest design.
    public static func named(_ name: String) throws -> KnownDesign {
        guard let design = KnownDesign(rawValue: name) else {
            let hint = nearest(to: name, among: allCases.map(\.rawValue)).map { "; did you mean '\($0)'?" } ?? ""
            throw SearchSpaceError(problem: "unknown design \(quoted(name))" + hint)
        }
        return design
    }

    /// The genotype that a design's name stands for, with `:LAYERS` behind it where it is not to have 12: `deeplabv3:8`.
    ///
    /// U-Nets are usually told by their levels, and have more layers than levels: `unet:3` and `unet:4` are those with
    /// three and four levels, a layer at each on the way down and on the way up, 5 and 7 layers.
    ///
    /// - Parameter argument: what was typed.
    /// - Returns: the genotype; nil where what stands before the colon is no design's name.
    /// - Throws: `SearchSpaceError` where the layers are no number, or too few or too many for the design.
    public static func genotype(named argument: String) throws -> Genotype? {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let design = parts.first.flatMap({ KnownDesign(rawValue: String($0)) }) else { return nil }
        guard parts.count > 1 else { return try design.genotype() }
        guard let layers = Int(parts[1]) else {
            throw SearchSpaceError(
                source: design.rawValue, location: "layers",
                problem: "\(quoted(String(parts[1]))) is not a whole number; write it as \(design.rawValue):12")
        }
        let isOfLevels = design == .unet && (3...4).contains(layers)
        return try design.genotype(layers: isOfLevels ? 2 * layers - 1 : layers)
    }

    /// The fewest layers that the design makes sense with.
    public var minimumLayers: Int {
        switch self {
        case .autoDeepLab: 12
        case .deeplabv3: 3
        case .convDeconv: 7
        case .stackedHourglass: 4
        case .unet: 5
        }
    }

    /// The design with a number of layers.
    ///
    /// - Parameter layers: the number of layers; `autoDeepLab` has 12 and no other.
    /// - Returns: its path, with the published cell and, for `unet`, all long skips.
    /// - Throws: `SearchSpaceError` where the design makes no sense with so many layers.
    public func genotype(layers: Int = 12) throws -> Genotype {
        let wanted = self == .autoDeepLab ? 12...12 : minimumLayers...Genotype.maximumLayers
        guard wanted.contains(layers) else {
            let range = wanted.count == 1 ? "exactly 12" : "\(wanted.lowerBound) to \(wanted.upperBound)"
            throw SearchSpaceError(
                source: rawValue, location: "layers", problem: "the design has \(range) layers, not \(layers)")
        }
        let genotype = Genotype(path: path(layers: layers), cell: .published)
        return self == .unet ? genotype.withAllSkips : genotype
    }

    private func path(layers: Int) -> [Stride] {
        switch self {
        case .autoDeepLab:
            return [.s4, .s4, .s4, .s8, .s16, .s8, .s16, .s16, .s32, .s32, .s16, .s8]
        case .deeplabv3:
            return [.s4, .s8] + Array(repeating: .s16, count: layers - 2)
        case .convDeconv:
            return [.s4, .s8, .s16] + Array(repeating: .s32, count: layers - 6) + [.s16, .s8, .s4]
        case .stackedHourglass:
            // The deepest hourglass of which two fit; layers left over stay at 4 behind the stem. From 12 layers
            // on each one is 8, 16, 32, 16, 8, 4.
            let depth = min(3, layers / 4)
            let levels = Array(1...depth) + (0..<depth).reversed()
            let hourglass = levels.compactMap { Stride(level: $0) }
            let lead = Array(repeating: Stride.s4, count: layers % hourglass.count)
            return lead + Array(repeating: hourglass, count: layers / hourglass.count).flatMap { $0 }
        case .unet:
            // As many levels as there are layers for; those left over make the way down longer before the way up.
            let depth = min(4, (layers + 1) / 2) - 1
            let legs = Array(0...depth) + (0..<depth).reversed()
            let (each, left) = layers.quotientAndRemainder(dividingBy: legs.count)
            let order = Array(0...depth) + (depth + 2..<legs.count) + [depth + 1]
            let longer = Set(order.prefix(left))
            return legs.enumerated().flatMap { leg, level in
                Array(repeating: Stride.allCases[level], count: each + (longer.contains(leg) ? 1 : 0))
            }
        }
    }
}

extension Cell {
    /// The cell that the paper found on Cityscapes (Figure 3).
    public static let published = Cell(blocks: [
        Block(
            first: Branch(input: .previous2, op: .atrous5x5), second: Branch(input: .previous, op: .separable3x3)),
        Block(
            first: Branch(input: .previous2, op: .separable3x3), second: Branch(input: .previous, op: .atrous3x3)),
        Block(
            first: Branch(input: .block(2), op: .separable3x3), second: Branch(input: .previous2, op: .separable3x3)),
        Block(
            first: Branch(input: .block(3), op: .separable5x5), second: Branch(input: .block(1), op: .separable5x5)),
        Block(
            first: Branch(input: .block(2), op: .separable5x5), second: Branch(input: .block(4), op: .atrous5x5)),
    ])
}
