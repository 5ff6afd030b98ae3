import Images

/// Recognises how a data set lies in its folder.
public func detectLayout(_ root: String) throws -> Layout {
    func has(_ path: String) -> Bool { isDirectory(join(root, path)) }
    if has("leftImg8bit") { return .cityscapes }
    if VOCLayout.base(root) != nil { return .voc }
    if !jsonFiles(join(root, "annotations")).isEmpty, !COCOLayout.splits(root).isEmpty { return .coco }
    if has("annotations"), has("images/training") || has("images/validation") { return .ade20k }
    if RoboflowLayout.matches(root) { return .roboflow }
    // Outlines in less usual places count where there are no masks.
    if !FoldersLayout.hasMasks(root) {
        if !COCOLayout.splits(root).isEmpty { return .coco }
        if LabelMeLayout.matches(root) { return .labelme }
    }
    if FoldersLayout.matches(root) { return .folders }
    if !listedSplits(root).isEmpty { return .list }
    if has("SegmentationClass") {
        throw DataError(
            .missing, file: root,
            problem: "has SegmentationClass but no JPEGImages: export the images too, or add them")
    }
    throw DataError(
        .missing, file: root,
        problem: "is no data set of a known layout: it needs images/ and masks/, or train.txt with an image and its"
            + " mask on each line")
}
