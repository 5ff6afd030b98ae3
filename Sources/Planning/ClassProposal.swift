import Configurations
import Datasets
import Foundation
import Images

/// Classes for a data set that names none, by what its masks hold.
public struct ClassProposal: Sendable {
    /// The class file: a name a line, with a colour where masks are colours.
    public let classFile: String
    /// How many classes there are.
    public let count: Int
    /// What was found, in words.
    public let note: String
    private let masks: MaskForm
    private let map: [Int: Int]

    /// Masks that are looked at.
    private static let limit = 400
    /// More colours than a palette of classes has are those of a photograph, or of a lossy format.
    private static let mostColors = 64
    /// Values up to here without large gaps are indices.
    private static let mostIndices = 64

    /// Looks at masks.
    ///
    /// - Parameter dataset: A data set, opened without names of classes.
    /// - Throws: `DataError` where the values are none of classes.
    public init(_ dataset: Dataset) throws {
        let all = dataset.splits.flatMap { (try? dataset.pairing($0))?.samples ?? [] }.compactMap(\.mask)
        guard !all.isEmpty else {
            throw DataError(.missing, file: dataset.root, problem: "has no mask, and no file that names classes")
        }
        let step = Double(max(1, all.count)) / Double(min(all.count, Self.limit))
        var counts = [Int](repeating: 0, count: 256)
        var wide: Set<Int> = []
        var colors: Set<Color> = []
        var isColored = false
        var last: Color?
        for index in 0..<min(all.count, Self.limit) {
            let path = all[Int(clamping: Double(index) * step)]
            let raw = try readRawMask(path: path, limits: ReadLimits())
            switch raw.values {
            case .indices(let labels): for label in labels { counts[Int(label)] += 1 }
            case .wide(let labels): wide.formUnion(Set(labels).map(Int.init))
            case .colors(let pixels):
                for start in stride(from: 0, to: pixels.count - 2, by: 3) {
                    let color = Color(pixels[start], pixels[start + 1], pixels[start + 2])
                    if color != last {
                        isColored = isColored || color.red != color.green || color.green != color.blue
                        colors.insert(color)
                        last = color
                    }
                    counts[Int(color.red)] += 1
                }
            }
            guard !isColored || colors.count <= Self.mostColors, wide.count <= 255 else { throw Self.tooMany(path) }
        }
        let values = wide.union(counts.indices.filter { counts[$0] > 0 })
        if !isColored, wide.isEmpty, Self.areSmoothed(counts) {
            self.init(
                lines: ["background", "foreground"], masks: .threshold, map: [:],
                note: "\(dataset.root): names no classes, and its masks are black and white with smoothed edges: two"
                    + " classes, background (0 to 127) and foreground (128 to 255)")
            return
        }
        guard values.count <= 255 else { throw Self.tooMany(all[0]) }
        self =
            try isColored
            ? Self(colors: colors, root: dataset.root)
            : Self(values: values, isGrey: !colors.isEmpty, root: dataset.root)
    }

    private static func tooMany(_ path: String) -> DataError {
        DataError(
            file: path,
            problem:
                "has too many different values for a mask of classes: save masks as PNG, not JPEG, with one value a class"
        )
    }

    /// Whether pixels of so many greys are black or white but for a few of all shades between.
    private static func areSmoothed(_ counts: [Int]) -> Bool {
        let between = counts[3...252]
        let isSpread = [counts[3...127], counts[128...252]].allSatisfy { $0.count { $0 > 0 } >= 8 }
        return isSpread && between.reduce(0, +) * 10 <= counts.reduce(0, +)
    }

    private init(colors: Set<Color>, root: String) throws {
        // Black is most often what is not labelled as a thing.
        let ordered = colors.sorted { ($0.red, $0.green, $0.blue) < ($1.red, $1.green, $1.blue) }
        let lines = ordered.enumerated().map { index, color in
            "\(color == Color(0, 0, 0) ? "background" : "class-\(index)") \(color.hex)"
        }
        self.init(
            lines: lines, masks: .colors, map: [:],
            note: "\(root): names no classes: one for each of the \(lines.count) colours of the masks")
    }

    private init(values: Set<Int>, isGrey: Bool, root: String) throws {
        let found = values.sorted()
        let shown = found.prefix(8).map(String.init).joined(separator: ", ") + (found.count > 8 ? ", ..." : "")
        let origin = "\(root): names no classes, and its masks hold \(shown)"
        if found == [0, 255] || found == [255] || found == [0] {
            self.init(
                lines: ["background", "foreground"], masks: .binary, map: [:],
                note: origin + ": two classes, background (0) and foreground (255)")
            return
        }
        // 255 beside indices is the ignored label.
        let labels = found.filter { $0 != 255 }
        if !isGrey, let last = labels.last, last <= Self.mostIndices, last < 2 * labels.count {
            self.init(
                lines: (0...last).map { $0 == 0 ? "background" : "class-\($0)" }, masks: .indices, map: [:],
                note: origin + ": classes 0 to \(last)" + (found.contains(255) ? ", 255 ignored" : ""))
            return
        }
        guard found.count <= Self.mostColors else {
            throw DataError(
                file: root,
                problem: "names no classes, and its masks hold \(found.count) different values, too many to be classes:"
                    + " save masks as PNG with one value a class, or name the classes in classes.txt")
        }
        let map = Dictionary(uniqueKeysWithValues: found.enumerated().map { ($1, $0) })
        self.init(
            lines: found.indices.map { $0 == 0 ? "background" : "class-\($0)" }, masks: .indices, map: map,
            note: origin + ": one class for each of the \(found.count) values")
    }

    private init(lines: [String], masks: MaskForm, map: [Int: Int], note: String) {
        classFile = lines.joined(separator: "\n") + "\n"
        count = lines.count
        self.masks = masks
        self.map = map
        self.note = note
    }

    /// Settings under which the data set is read so.
    ///
    /// - Parameters:
    ///   - data: The settings.
    ///   - path: Where the class file was written.
    public func settle(_ data: inout DataConfiguration, classFile path: String) {
        data.classes.file = path
        data.masks = masks
        data.labels.map = map
    }
}
