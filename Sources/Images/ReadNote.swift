import Foundation

/// Something about a file that was read all the same, and that its user should know.
package enum ReadNote: Hashable, Sendable {
    /// The file holds several pages, or sizes of one: the first was read.
    case pages
    /// The file is an animation: its first picture was read.
    case frames
    /// The decoder complained, though all pixels are there.
    case warning(String)
    /// Samples of so many bits were cut to their upper 8, for want of a range.
    case upperBits(Int)
    /// Of so many samples of a pixel, none of which is transparency, the first ones were read.
    case samplesLeftOut(Int)
    /// A mask is a JPEG of black and white, whose values are altered near edges.
    case blackAndWhite

    /// What is said behind the file's name.
    package var text: String {
        switch self {
        case .pages: "holds several pages: the first is read"
        case .frames: "is an animation: its first picture is read"
        case .warning(let reason): "is read in spite of a fault that costs no pixels: \(reason)"
        case .upperBits(let depth):
            "has \(depth) bits a sample, of which the upper 8 are read: scale by data.range if it looks black"
        case .samplesLeftOut(let samples):
            "has \(samples) channels, of which the last is left out: set data.channels to \(samples) if it matters"
        case .blackAndWhite:
            "is a JPEG, which alters values: it is read as black and white, parted at half; masks had better be PNG"
        }
    }

    /// The kind alone, whatever the file.
    fileprivate var kind: Int {
        switch self {
        case .pages: 0
        case .frames: 1
        case .warning: 2
        case .upperBits: 3
        case .samplesLeftOut: 4
        case .blackAndWhite: 5
        }
    }
}

/// Collects what readers note on several threads until somebody tells it: each file once, and of every kind of note
/// only the first few files; `lock` guards its variables.
public final class ReadNotes: @unchecked Sendable {
    private static let filesOfAKind = 3
    private let lock = NSLock()
    private var seen: Set<String> = []
    private var counts: [Int: Int] = [:]
    private var pending: [String] = []

    /// Nothing noted yet.
    public init() {}

    /// Notes something about a file.
    package func add(_ notes: [ReadNote], file: String) {
        guard !notes.isEmpty else { return }
        lock.withLock {
            for note in notes {
                let count = counts[note.kind, default: 0]
                guard count <= Self.filesOfAKind, seen.insert("\(note.kind) \(file)").inserted else { continue }
                counts[note.kind] = count + 1
                pending.append(
                    count < Self.filesOfAKind
                        ? "\(file): \(note.text)" : "\(file): is another one of that kind; no more are named")
            }
        }
    }

    /// What was noted since the last call.
    public func take() -> [String] {
        lock.withLock {
            defer { pending = [] }
            return pending
        }
    }
}
