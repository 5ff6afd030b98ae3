/// The classes that the categories of an annotation file are, by their names, and what must be told about it.
struct CategoryMatch {
    /// The class of each category that is one.
    private(set) var labels: [String: UInt8] = [:]
    /// Categories that are read as a class of another name, and those that are none.
    private(set) var notes: [String] = []

    /// What other pixels are called, in lower case.
    static let background: Set = ["background", "_background_", "__background__"]

    /// Whether a class is that of all pixels which no outline covers.
    static func isBackground(_ name: String) -> Bool { background.contains(trimmed(name).lowercased()) }

    /// A line for names that differ by their case alone, and are different classes all the same.
    static func notesOfCase(_ names: [String], file: String) -> [String] {
        Dictionary(grouping: names) { $0.lowercased() }.values.filter { $0.count > 1 }
            .map { $0.sorted().map { "`\($0)`" }.joined(separator: " and ") }.sorted()
            .map { "\(file): the classes \($0) differ by their case alone" }
    }

    /// Finds each category's class: by its name, by VOC's name for one of COCO's, by its name in another case.
    ///
    /// - Parameters:
    ///   - counts: how many objects there are of each category.
    ///   - classes: the classes, the background first.
    ///   - file: the file or folder, for what is told.
    ///   - synonyms: what classes are called in the file, where it is something else.
    init(_ counts: [String: Int], classes: ClassTable, file: String, synonyms: [String: String] = [:]) {
        let exact = Dictionary(zip(classes.names, UInt8(0)...), uniquingKeysWith: { first, _ in first })
        let folded = Dictionary(grouping: classes.names) { trimmed($0).lowercased() }
        var others: [String] = []
        var missing: [String] = []
        for name in counts.keys.sorted() {
            if let label = exact[name] {
                labels[name] = label
            } else if Self.isBackground(name) {
                labels[name] = 0
            } else if let own = synonyms[name] ?? folded[trimmed(name).lowercased()]?.onlyElement,
                let label = exact[own]
            {
                labels[name] = label
                others.append("`\(name)` is read as the class `\(own)`")
            } else if let objects = counts[name], objects > 0 {
                missing.append(name)
            }
        }
        if !others.isEmpty { notes.append("\(file): " + listed(others)) }
        guard !missing.isEmpty else { return }
        missing.sort { (counts[$1] ?? 0, $0) < (counts[$0] ?? 0, $1) }
        let list = missing.map { name in
            let objects = counts[name] ?? 0
            return "\(name) (\(objects) \(objects == 1 ? "object" : "objects"))"
        }
        notes.append(
            "\(file): \(missing.count) \(missing.count == 1 ? "category is" : "categories are") no class, and what they"
                + " cover becomes background: \(listed(list))")
    }

    private func listed(_ texts: [String]) -> String {
        let more = texts.count > 12 ? " and \(texts.count - 12) more" : ""
        return texts.prefix(12).joined(separator: ", ") + more
    }
}

extension Collection {
    /// The element of a collection of one.
    fileprivate var onlyElement: Element? { count == 1 ? first : nil }
}
