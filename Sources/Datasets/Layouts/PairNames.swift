import Foundation
import Images

/// A picture's path, taken apart into words.
struct PairName {
    /// Below the data set's folder.
    let path: String
    /// The folder's path, empty for that of the data set.
    let folder: String
    /// The folder's path without folders whose names say what is in them.
    let owner: String
    /// Words of folders that say nothing of what is in them, but for splits and formats: a patient, a place, a batch.
    let ids: [String]
    /// The name without its ending, in small letters.
    let name: String
    /// Words of the name that name no role.
    let stem: [String]
    /// `train`, `val` or `test`, where a folder says so.
    var split: String?
    /// What the deepest folder with such a word says.
    let folderRole: Role?
    /// Whether the name itself says that it is a mask.
    let isMaskByName: Bool

    /// What a word in a name says.
    enum Role: Hashable { case image, mask }

    /// Takes a path apart, but for the first folders, in which everything lies.
    init(_ path: String, besides shared: Int) {
        self.path = path
        folder = folderPart(of: path)
        let parts = (path as NSString).deletingPathExtension.split(separator: "/").map(String.init)
        let folders = parts.dropLast().dropFirst(shared).map { (name: $0, words: PairWords.words($0)) }
        let silent = folders.filter { PairWords.role($0.words) == nil }
        owner = silent.map(\.name).joined(separator: "/")
        ids = silent.flatMap(\.words).filter { PairWords.splits[$0] == nil && !PairWords.formats.contains($0) }
        folderRole = folders.compactMap { PairWords.role($0.words) }.last
        split = folders.flatMap(\.words).compactMap { PairWords.splits[$0] }.last
        name = parts.last?.lowercased() ?? ""
        let own = PairWords.words(parts.last ?? "")
        stem = own.filter { PairWords.roles[$0] == nil }
        isMaskByName = PairWords.role(own) == .mask
    }
}

/// The pictures of a data set: images, masks, and what is neither.
struct PairNames {
    private(set) var images: [PairName] = []
    private(set) var masks: [PairName] = []
    private(set) var others: [String] = []

    /// Takes pictures' paths below the data set's folder.
    init(_ paths: [String]) {
        let folders = paths.map { $0.split(separator: "/").dropLast() }
        let shortest = folders.min { $0.count < $1.count } ?? []
        let shared = shortest.indices.prefix { place in folders.allSatisfy { $0[place] == shortest[place] } }.count
        let names = paths.map { PairName($0, besides: shared) }
        let roles = Set(names.compactMap(\.folderRole))
        for name in names {
            switch name.folderRole {
            case .mask: masks.append(name)
            case .image where roles.contains(.mask): images.append(name)
            case nil where roles.count == 2: others.append(name.path)
            // No folder of masks, or none of images: what lies in the others is told by its name.
            case .image, nil:
                if name.isMaskByName, !roles.contains(.mask) { masks.append(name) } else { images.append(name) }
            }
        }
        if masks.isEmpty { partByFormat() }
        takeSplitsFromNames()
    }

    /// Where no name says what is a mask: of two files of one name beside each other, the one without loss is it.
    private mutating func partByFormat() {
        for names in Dictionary(grouping: images, by: { ($0.path as NSString).deletingPathExtension }).values {
            let lossless = names.filter { !PictureFormat.isLossy($0.path) }
            if names.count == 2, lossless.count == 1 { masks += lossless }
        }
        let found = Set(masks.map(\.path))
        images.removeAll { found.contains($0.path) }
    }

    /// Where no folder tells splits and all images' names begin with one (`train_0`, `testA_3`), these count.
    private mutating func takeSplitsFromNames() {
        guard (images + masks).allSatisfy({ $0.split == nil }) else { return }
        let found = images.map { $0.stem.first.flatMap { PairWords.splits[$0] } }
        guard found.allSatisfy({ $0 != nil }), Set(found).count > 1 else { return }
        for index in images.indices { images[index].split = found[index] }
    }
}

/// The words in names of files and folders that say what is in them.
enum PairWords {
    static let roles: [String: PairName.Role] = {
        let masks = [
            "mask", "masks", "label", "labels", "lbl", "annotation", "annotations", "annot", "annots", "anno", "gt",
            "gts",
            "ground", "truth", "groundtruth", "segmentation", "segmentations", "seg", "segs", "segmented", "manual",
            "target", "targets", "semantic",
        ]
        let images = [
            "image", "images", "img", "imgs", "im", "input", "inputs", "original", "originals", "rgb", "photo",
            "photos",
            "picture", "pictures", "frame", "frames", "raw", "sat", "src", "source",
        ]
        return Dictionary(
            masks.map { ($0, .mask) } + images.map { ($0, .image) }, uniquingKeysWith: { first, _ in first })
    }()

    static let splits = SplitNames.words.merging([
        "tr": "train", "validate": "val", "dev": "val", "ts": "test", "te": "test",
    ]) { word, _ in word }

    /// Words of folders that tell of the files' format alone.
    static let formats: Set<String> = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "class"]

    /// What may be written to a split without a sign between: `trainset`.
    private static let afterSplits: Set<String> = ["set", "data", "crop", "crops"]

    /// What words say: a mask where any of them does.
    static func role(_ words: [String]) -> PairName.Role? {
        let found = words.compactMap { roles[$0] }
        return found.contains(.mask) ? .mask : found.first
    }

    /// The words of a name in small letters: parted by what is no letter or digit, before capitals, between a word that
    /// says something and the digits behind it, and behind a split's (`trainannot`).
    static func words(_ name: String) -> [String] {
        name.split { !$0.isLetter && !$0.isNumber }.flatMap { piece -> [String] in
            let whole = piece.lowercased()
            return roles[whole] == nil ? capitalised(Array(piece)).flatMap(parted) : [whole]
        }
    }

    /// Parts letters before capitals: `JPEGImages`, `imagesTr`.
    private static func capitalised(_ letters: [Character]) -> [String] {
        var result: [String] = []
        var word = ""
        for (place, letter) in letters.enumerated() {
            if letter.isUppercase, place > 0 {
                let isAfterSmall = letters[place - 1].isLowercase
                let isBeforeSmall = place + 1 < letters.count && letters[place + 1].isLowercase
                if isAfterSmall || letters[place - 1].isUppercase && isBeforeSmall {
                    result.append(word.lowercased())
                    word = ""
                }
            }
            word.append(letter)
        }
        return result + (word.isEmpty ? [] : [word.lowercased()])
    }

    private static func parted(_ word: String) -> [String] {
        if roles[word] != nil || splits[word] != nil { return [word] }
        let letters = String(word.prefix { $0.isLetter })
        if letters.count < word.count, roles[letters] != nil || splits[letters] != nil {
            return [letters, String(word.dropFirst(letters.count))]
        }
        for split in splits.keys.sorted(by: { $0.count > $1.count }) where word.hasPrefix(split) {
            let rest = String(word.dropFirst(split.count))
            if roles[rest] != nil || afterSplits.contains(rest) { return [split, rest] }
        }
        return [word]
    }
}
