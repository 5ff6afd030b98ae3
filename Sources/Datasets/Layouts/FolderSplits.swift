/// Where the splits of a data set of `images` and `masks` are: folders in `images`, folders around an `images` of their
/// own, or lists of stems.
///
/// Where they may be found in several of these ways, folders in `images` with the usual names go first, then folders
/// around, then lists; what is not obeyed is told.
struct FolderSplits {
    enum Place {
        /// `images/SPLIT`.
        case inner
        /// `SPLIT/images`.
        case outer
        /// `SPLIT.txt`.
        case list
        /// All images are of the training split.
        case whole
    }

    /// The names of the splits.
    let names: [String]
    /// Folders with a folder of images.
    let outer: [String]
    /// What looks like a split and is left out.
    let notes: [String]

    private let root: String
    private let inner: [String]
    private let hasImages: Bool
    /// Whether folders in `images` have the names of splits: others are perhaps cities.
    private let isInner: Bool

    init(_ root: String) {
        let images = join(root, "images")
        let inner = subfolders(images)
        let outer = subfolders(root).filter { isDirectory(join(join(root, $0), "images")) }
        let lists = listedSplits(root)
        let hasImages = isDirectory(images)
        let isUsual = { (name: String) in SplitNames.isUsual(name) || name == "trainval" }
        let isInner = inner.contains(where: isUsual)
        var names: [String] = []
        if isInner { names += inner }
        // Beside a folder of images another one is a split only by its name.
        names += hasImages && (isInner || !outer.contains(where: isUsual)) ? outer.filter(isUsual) : outer
        if hasImages { names += lists }
        if names.isEmpty { names = inner.isEmpty ? ["train"] : inner }
        var seen: Set<String> = []
        self.names = names.filter { seen.insert($0).inserted }
        (self.root, self.inner, self.outer) = (root, inner, outer)
        (self.hasImages, self.isInner) = (hasImages, isInner)

        let unheard =
            outer.filter { !seen.contains($0) || isInner && inner.contains($0) }.map { "\($0)/images" }
            + lists.filter { !hasImages || outer.contains($0) || isInner && inner.contains($0) }.map { "\($0).txt" }
        let folders = self.names.map { name in
            isInner && inner.contains(name) ? "images/\(name)" : outer.contains(name) ? "\(name)/images" : name
        }
        notes =
            unheard.isEmpty
            ? []
            : [
                "\(root): \(unheard.joined(separator: ", ")) left out: the splits are"
                    + " \(folders.joined(separator: ", "))"
            ]
    }

    /// Where a split is, also one that is known by its list alone; nil where there is none of that name.
    func place(of name: String) -> Place? {
        if isInner, inner.contains(name) { return .inner }
        if outer.contains(name) { return .outer }
        if inner.contains(name) { return .inner }
        if isFile(join(root, "\(name).txt")) { return .list }
        return name == "train" && hasImages && names == ["train"] ? .whole : nil
    }
}
