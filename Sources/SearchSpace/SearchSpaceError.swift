/// What is wrong with a genotype or with a request about the search space, in one line.
public struct SearchSpaceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file (or name) that was read, where there is one.
    public var source: String?
    /// Where in it: a line, or the path of a key such as `cell[2][0]`.
    public var location: String?
    /// What is wrong there, and what to do.
    public var problem: String

    /// An error about a place in a source.
    public init(source: String? = nil, location: String? = nil, problem: String) {
        self.source = source
        self.location = location
        self.problem = problem
    }

    /// The one line: source, place, problem.
    public var description: String {
        [source, location, problem].compactMap { $0 }.joined(separator: ": ")
    }

    func from(_ source: String) -> SearchSpaceError {
        SearchSpaceError(source: source, location: location, problem: problem)
    }
}

/// The candidate with the smallest edit distance to `name`; the first of equals.
package func nearest(to name: String, among candidates: [String]) -> String? {
    // An over-long name would make the distance slow, and is near to nothing.
    let word = Array(name.prefix(64).lowercased().unicodeScalars)
    var (best, least): (String?, Int) = (nil, .max)
    for candidate in candidates {
        let other = Array(candidate.lowercased().unicodeScalars)
        // No distance is less than the difference of the lengths.
        guard abs(word.count - other.count) < least else { continue }
        let distance = editDistance(word, other)
        if distance < least { (best, least) = (candidate, distance) }
    }
    return best
}

private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let substituted = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
        }
    }
    return row[right.count]
}

/// A name as it may stand in a one-line message: without control characters, shortened.
func quoted(_ name: String) -> String {
    let visible = name.unicodeScalars.prefix(41).map { scalar in
        scalar.properties.generalCategory == .control ? "?" : String(scalar)
    }
    return "'" + visible.prefix(40).joined() + (visible.count > 40 ? "…'" : "'")
}
