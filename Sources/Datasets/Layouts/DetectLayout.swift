import Images

/// Recognises how a data set lies in its folder.
///
/// - Parameter root: The folder.
/// - Returns: The layout: one that is known, else `pairs` where images and masks can be paired by their names.
/// - Throws: `DataError` where it is none; it names a folder below that is one.
public func detectLayout(_ root: String) throws -> Layout {
    if let layout = knownLayout(root) { return layout }
    if isDirectory(join(root, "SegmentationClass")), !isDirectory(join(root, "JPEGImages")) {
        throw DataError(
            .missing, file: root,
            problem: "has SegmentationClass but no JPEGImages: export the images too, or add them")
    }
    let below = subfolders(root).prefix(20).first { knownLayout(join(root, $0)) != nil }
    throw DataError(
        .missing, file: root,
        problem: "is no data set of a known layout: it needs images/ and masks/, or train.txt with an image and its"
            + " mask on each line" + (below.map { "; name \(join(root, $0)), if that is meant" } ?? ""))
}

private func knownLayout(_ root: String) -> Layout? {
    func has(_ path: String) -> Bool { isDirectory(join(root, path)) }
    if has("leftImg8bit") { return .cityscapes }
    if VOCLayout.base(root) != nil, !VOCLayout.splits(root).isEmpty || !PairsLayout.matches(root) { return .voc }
    if !jsonFiles(join(root, "annotations")).isEmpty, !COCOLayout.splits(root).isEmpty { return .coco }
    if ADE20KLayout.matches(root) { return .ade20k }
    if RoboflowLayout.matches(root) { return .roboflow }
    // Outlines in less usual places count where there are no masks.
    if !FoldersLayout.hasMasks(root) {
        if !COCOLayout.splits(root).isEmpty { return .coco }
        if LabelMeLayout.matches(root) { return .labelme }
    }
    if FoldersLayout.matches(root) {
        let isFitting = FoldersLayout.hasPairs(root) && !hasUnusualSplits(root)
        if isFitting { return .folders }
        if listsMasks(root) { return .list }
        return PairsLayout.matches(root) ? .pairs : .folders
    }
    if !listedSplits(root).isEmpty { return .list }
    return PairsLayout.matches(root) ? .pairs : nil
}

/// Whether a list names images with masks that are there.
private func listsMasks(_ root: String) -> Bool {
    listedSplits(root).contains { name in
        guard let found = try? listPairing(root, Split(rawValue: name)) else { return false }
        return found.problems.isEmpty && found.samples.contains { $0.mask != nil }
    }
}

/// Whether no split of `folders` has a name that anybody looks for: a single folder, or words that `pairs` knows.
private func hasUnusualSplits(_ root: String) -> Bool {
    let splits = FoldersLayout.splits(root)
    guard splits.allSatisfy({ !["train", "val", "test"].contains($0) }) else { return false }
    return splits.count == 1 || splits.allSatisfy { PairWords.splits[$0.lowercased()] != nil }
}
