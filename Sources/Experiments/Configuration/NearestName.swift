/// The known name that a mistyped one most likely stands for; nil where nothing is near.
public func nearestName<Names: Collection<String>>(to name: String, among known: Names) -> String? {
    let wanted = Array(name.lowercased().utf8.prefix(64))
    let candidates = known.map { ($0, editDistance(wanted, Array($0.lowercased().utf8))) }
    guard let best = candidates.min(by: { $0.1 < $1.1 }) else { return nil }
    return best.1 <= max(2, wanted.count / 2) ? best.0 : nil
}

/// How many insertions, deletions and replacements lead from one word to the other (Levenshtein).
func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    var previous = Array(0...second.count)
    for (row, byte) in first.enumerated() {
        var current = [row + 1]
        for (column, other) in second.enumerated() {
            let replaced = previous[column] + (byte == other ? 0 : 1)
            current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[second.count]
}
