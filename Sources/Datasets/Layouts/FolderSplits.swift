/// Where the splits of a data set of `images` and `masks` are: folders in `images`, folders around an `images` of their
/// own, or lists of stems.
///
/// Where they may be found in several of these ways, folders in `images` with the usual names go first, then folders
/// around, then lists; what is not obeyed is told. A folder with another word for a usual split (`valid`) is that split,
/// unless another folder is.
struct FolderSplits {
    enum Place {
        /// The folder of this name in `images`.
        case inner(String)
        /// The folder of this name, with a folder of images.
        case outer(String)
        /// The list of this name, but for its ending.
        case list(String)
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
    /// What each split's folder or list is called.
    private let ownNames: [String]
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
        // A list is obeyed where no folder is its split, whatever that is called.
        let taken = Set(names.map(SplitNames.usual))
        let obeyed = hasImages ? lists.filter { !taken.contains($0) } : []
        names += obeyed
        if names.isEmpty { names = inner.isEmpty ? ["train"] : inner }
        var seen: Set<String> = []
        ownNames = names.filter { seen.insert($0).inserted }
        self.names = SplitNames.splits(of: ownNames)
        (self.root, self.inner, self.outer) = (root, inner, outer)
        (self.hasImages, self.isInner) = (hasImages, isInner)

        let unheard =
            outer.filter { !seen.contains($0) || isInner && inner.contains($0) }.map { "\($0)/images" }
            + lists.filter { !obeyed.contains($0) }.map { "\($0).txt" }
        let folders = ownNames.map { name in
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

    /// Where a split is, by its usual name or that of its folder, also one that is known by its list alone; nil where there is
    /// none of that name.
    func place(of split: String) -> Place? {
        let name = names.firstIndex(of: split).map { ownNames[$0] } ?? split
        if isInner, inner.contains(name) { return .inner(name) }
        if outer.contains(name) { return .outer(name) }
        if inner.contains(name) { return .inner(name) }
        if isFile(join(root, "\(name).txt")) { return .list(name) }
        return name == "train" && hasImages && names == ["train"] ? .whole : nil
    }
}
