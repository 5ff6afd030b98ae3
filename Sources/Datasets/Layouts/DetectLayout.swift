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
        let isFitting = FoldersLayout.hasPairs(root) && !hasStrangeSplits(root)
        return isFitting || !PairsLayout.matches(root) ? .folders : .pairs
    }
    if !listedSplits(root).isEmpty { return .list }
    return PairsLayout.matches(root) ? .pairs : nil
}

/// Whether the splits of `folders` are no ones that anybody looks for: the only folder, or another word for a usual one.
private func hasStrangeSplits(_ root: String) -> Bool {
    let splits = FoldersLayout.splits(root)
    let others = splits.filter { !["train", "val", "test"].contains($0) }
    return others.contains { PairWords.splits[$0.lowercased()] != nil } || splits.count == 1 && others.count == 1
}
