import Images

/// The samples found for a split and what is wrong with the others.
package struct Pairing: Sendable {
    /// Images, with their masks where there are any.
    package var samples: [Sample] = []
    /// One for each image without mask.
    package var unlabelled: [DataError] = []
    /// Everything else.
    package var problems: [DataError] = []
    /// What was decided and should be seen: images left out, a list that stands in for another.
    package var notes: [String] = []

    package init() {}

    /// The fault of a split without images, with what was found instead.
    func empty(_ split: Split, root: String) -> DataError {
        let found = notes.isEmpty ? "" : " (\(notes.prefix(3).joined(separator: "; ")))"
        return DataError(.missing, file: root, problem: "has no images in the split `\(split)`\(found)")
    }

    /// The fault of a split whose images all lack a mask, which says where masks were looked for; else nil.
    func withoutMasks(_ split: Split, root: String) -> DataError? {
        guard let first = unlabelled.first, unlabelled.count == samples.count else { return nil }
        let folders = subfolders(root).joined(separator: ", ")
        return DataError(
            .missing, file: root,
            problem:
                "no image of the split `\(split)` has a mask (folders there: \(folders.isEmpty ? "none" : folders));"
                + " the first: \(first)" + (notes.isEmpty ? "" : " (\(notes.prefix(3).joined(separator: "; ")))"))
    }
}
