/// What each value in a mask file means: a class, the ignored label, or a mistake.
public struct LabelMap: Hashable, Sendable {
    /// How many classes there are.
    public let classes: Int
    /// The class of each value, 255 for ignored ones, nil for values that must not occur.
    private let table: [UInt8?]

    /// A map that takes values as they are: classes from 0, and 255 for ignored pixels.
    ///
    /// - Parameters:
    ///   - classes: how many there are.
    ///   - ignoring: further values that mean ignored pixels.
    ///   - mapping: values that mean another class (or 255); all other classes keep their own.
    public init(classes: Int, ignoring: [UInt8] = [], mapping: [UInt8: UInt8] = [:]) {
        self.init(classes: classes, table: nil, ignoring: ignoring, mapping: mapping)
    }

    /// A map that begins with a layout's own meanings; classes beyond the given number mean nothing.
    init(classes: Int, table layout: [UInt8?]?, ignoring: [UInt8], mapping: [UInt8: UInt8]) {
        precondition((1...255).contains(classes), "\(classes) classes")
        var table = (layout ?? (0..<256).map { UInt8($0) }).map { label in
            label.flatMap { $0 < classes || $0 == Mask.ignored ? $0 : nil }
        }
        for (value, label) in mapping {
            precondition(label < classes || label == Mask.ignored, "\(value) mapped to \(label)")
            table[Int(value)] = label
        }
        for value in ignoring { table[Int(value)] = Mask.ignored }
        self.classes = classes
        self.table = table
    }

    /// The label that a value means; nil for a mistake.
    public subscript(value: UInt8) -> UInt8? { table[Int(value)] }

    /// Turns a mask's values into labels; a value that means nothing is an error that says where it is.
    public func apply(to mask: Mask, file: String) throws -> Mask {
        var result = mask
        let table = table.map { $0.map { Int16($0) } ?? -1 }
        var fault: Int?
        result.labels.withUnsafeMutableBufferPointer { labels in
            table.withUnsafeBufferPointer { table in
                for index in labels.indices {
                    let label = table[Int(labels[index])]
                    if label < 0 {
                        fault = index
                        return
                    }
                    labels[index] = UInt8(truncatingIfNeeded: label)
                }
            }
        }
        if let fault {
            throw DataError(
                file: file,
                problem: "has the label \(mask.labels[fault]) at column \(fault % mask.width), row"
                    + " \(fault / mask.width), but there are \(classes) classes (0 to \(classes - 1), 255 ignored):"
                    + " correct the class list, or ignore or map this label")
        }
        return result
    }
}
