import Foundation
import Images

/// Which split each image belongs to, where that is not left to the data set's folders and lists.
///
/// In a file it is a table with the columns `image` and `split`, the images by their paths below the data set's folder.
public struct SplitAssignment: Hashable, Sendable {
    /// The split of each image, by the image's path below the data set's folder.
    public var splits: [String: String]
    /// Where each image stands in the file, as `file:line`.
    private var places: [String: String] = [:]

    private static let header = "image,split"

    /// An assignment of these images.
    public init(_ splits: [String: String]) { self.splits = splits }

    /// Reads a table.
    ///
    /// - Throws: `DataError` with the line that is wrong.
    public init(file: String) throws {
        splits = [:]
        for (number, line) in try readTextFile(file).enumerated() where !line.isEmpty {
            let place = "\(file):\(number + 1)"
            if number == 0 {
                guard line == Self.header else {
                    throw DataError(file: place, problem: "begins with `\(line.prefix(40))`, not with `\(Self.header)`")
                }
                continue
            }
            guard let fields = separatedFields(line, by: { $0 == "," })?.map(\.text), fields.count == 2,
                !fields[0].isEmpty, !fields[1].isEmpty, !fields[1].contains("+"), !fields[1].contains("/")
            else {
                throw DataError(file: place, problem: "is not an image and its split, with a comma between them")
            }
            guard splits.updateValue(fields[1], forKey: fields[0]) == nil else {
                throw DataError(file: place, problem: "has \(fields[0]) a second time")
            }
            places[fields[0]] = place
        }
        guard !splits.isEmpty else { throw DataError(file: file, problem: "names no image") }
    }

    /// The table as it stands in a file, images in order.
    public var table: String {
        func cell(_ text: String) -> String {
            text.contains { $0 == "," || $0 == "\"" || $0.isWhitespace }
                ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
        }
        return ([Self.header] + splits.sorted { $0.key < $1.key }.map { cell($0.key) + "," + cell($0.value) })
            .joined(separator: "\n") + "\n"
    }

    /// Whether both say the same, wherever they were read.
    public static func == (one: SplitAssignment, other: SplitAssignment) -> Bool { one.splits == other.splits }

    /// Hashes what it says.
    public func hash(into hasher: inout Hasher) { hasher.combine(splits) }

    /// The splits' names.
    var names: Set<String> { Set(splits.values) }

    /// What is found of a split in what the data set's own splits hold.
    ///
    /// - Parameters:
    ///   - split: The split.
    ///   - own: The data set's own splits and what they hold.
    ///   - root: The data set's folder.
    /// - Returns: The samples of the split; where two have one name, later ones have their own split's in front.
    func pairing(_ split: Split, among own: [(Split, Pairing)], root: String) -> Pairing {
        var result = Pairing()
        var (names, images): (Set<String>, Set<String>) = ([], [])
        var (found, unnamed): (Set<String>, [String]) = ([], [])
        for sample in own.flatMap(\.1.samples) {
            let path = relative(sample.image, to: root)
            if found.insert(path).inserted, splits[path] == nil { unnamed.append(path) }
        }
        if let first = unnamed.first {
            result.notes.append(
                "\(root): images that the table of splits does not name (\(unnamed.count)), as \(first)")
        }
        for (place, pairing) in own {
            for sample in pairing.samples where splits[relative(sample.image, to: root)] == split.rawValue {
                // An image may stand in several lists.
                let tile = sample.tile.map { "|\($0.x)|\($0.y)" } ?? ""
                guard images.insert(sample.image + tile).inserted else { continue }
                let name = names.contains(sample.name) ? "\(place.rawValue)-\(sample.name)" : sample.name
                names.insert(name)
                var own = sample
                own.name = name
                result.samples.append(own)
                if sample.mask == nil {
                    result.unlabelled.append(DataError(.missing, file: sample.image, problem: "has no mask"))
                }
            }
            result.problems += pairing.problems
            result.notes += pairing.notes
        }
        for path in splits.keys.sorted() where splits[path] == split.rawValue && !found.contains(path) {
            if isFile(join(root, path)) { continue }
            result.problems.append(
                DataError(
                    .missing, file: places[path] ?? root,
                    problem: "names \(path), which is not there: correct its path below \(root), or take the line out"))
        }
        var seen: Set<String> = []
        result.notes = result.notes.filter { seen.insert($0).inserted }
        return result
    }
}
