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
        var values: Set<Int> = []
        var colors: Set<Color> = []
        var isColored = false
        for index in 0..<min(all.count, Self.limit) {
            let raw = try readRawMask(path: all[Int(clamping: Double(index) * step)], limits: ReadLimits())
            switch raw.values {
            case .indices(let labels): values.formUnion(Set(labels).map(Int.init))
            case .wide(let labels): values.formUnion(Set(labels).map(Int.init))
            case .colors(let pixels):
                for start in stride(from: 0, to: pixels.count - 2, by: 3) {
                    colors.insert(Color(pixels[start], pixels[start + 1], pixels[start + 2]))
                }
                isColored = isColored || colors.contains { $0.red != $0.green || $0.green != $0.blue }
            }
            guard colors.count <= Self.mostColors, values.count <= 255 else {
                throw DataError(
                    file: all[Int(clamping: Double(index) * step)],
                    problem:
                        "has too many different values for a mask of classes: save masks as PNG, not JPEG, with one"
                        + " value a class")
            }
        }
        if !isColored { values.formUnion(colors.map { Int($0.red) }) }
        self =
            try isColored
            ? Self(colors: colors, root: dataset.root)
            : Self(values: values, isGrey: !colors.isEmpty, root: dataset.root)
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
