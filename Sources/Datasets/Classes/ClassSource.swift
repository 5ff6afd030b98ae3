/// The classes of a data set with what they were taken from.
struct ClassSource {
    /// The classes.
    let table: ClassTable
    /// What they were taken from: a file below the data set's folder, or words.
    let origin: String
    /// Whether nobody said that they are meant.
    var isAssumed = false
    /// What was decided and should be seen.
    var notes: [String] = []

    /// Classes that were found.
    init(_ table: ClassTable, from origin: String, notes: [String] = []) {
        self.table = table
        self.origin = origin
        self.notes = notes
    }

    /// The classes that are given, those of a file in the folder, or the layout's own; nil where there are none.
    init?(root: String, layout: Layout, options: DatasetOptions) throws {
        if let given = options.classes {
            self.init(given, from: "the configuration (data.classes)")
        } else if let file = options.classesFile {
            let read = try ClassFile(file)
            self.init(read.table, from: relative(file, to: root), notes: read.notes)
        } else if let found = try Self.inFolder(root, layout) ?? Self.ofLayout(root, layout) {
            self = found
        } else {
            return nil
        }
    }

    private static func inFolder(_ root: String, _ layout: Layout) throws -> ClassSource? {
        let names = layout == .labelme ? ["classes.txt", "labels.txt"] : ["classes.txt"]
        if let name = names.first(where: { isFile(join(root, $0)) }) {
            let read = try ClassFile(join(root, name))
            let source = ClassSource(read.table, from: name, notes: read.notes)
            return layout == .labelme ? LabelMeLayout.withBackground(source) : source
        }
        guard [.voc, .folders, .list, .pairs, .tiles].contains(layout), let path = CVATLabelMap.path(root) else {
            return nil
        }
        return ClassSource(try CVATLabelMap(path).table, from: relative(path, to: root))
    }

    private static func ofLayout(_ root: String, _ layout: Layout) throws -> ClassSource? {
        switch layout {
        case .cityscapes:
            return KnownClasses.cityscapes.table.map { ClassSource($0, from: "Cityscapes' 19, built in") }
        case .voc:
            return KnownClasses.voc.table.map { table in
                var source = ClassSource(table, from: "VOC's 21, built in")
                source.isAssumed = true
                source.notes.append(
                    "\(root): VOC's own 21 names are assumed, for there is neither \(CVATLabelMap.name) nor classes.txt"
                )
                return source
            }
        case .ade20k:
            let hasFile = isFile(join(root, ADE20KLayout.namesFile))
            return try ADE20KLayout.classes(root).map {
                ClassSource($0, from: hasFile ? ADE20KLayout.namesFile : "ADE20K's 150, built in")
            }
        case .coco: return try COCOLayout.classes(root)
        case .roboflow: return try RoboflowLayout.classes(root)
        case .labelme: return try LabelMeLayout.classes(root)
        case .folders, .list, .pairs, .tiles: return nil
        }
    }
}

/// A path below the data set's folder where it lies there, else as it is.
package func relative(_ path: String, to root: String) -> String {
    let folder = join(root, "")
    return path.hasPrefix(folder) && path.count > folder.count ? String(path.dropFirst(folder.count)) : path
}
