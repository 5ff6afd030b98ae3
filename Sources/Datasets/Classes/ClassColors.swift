import Images

extension ClassTable {
    /// The class of what is none of the others, which a name such as `background` tells; nil without one.
    public var background: Int? { ClassTable.background(of: names) }

    private static func background(of names: [String]) -> Int? {
        let known: Set = ["background", "_background_", "bg", "void", "unlabeled", "unlabelled"]
        return names.firstIndex { known.contains($0.lowercased()) }
    }

    /// A colour for every class: the one that it was given, black for a background, else the standard palette's at its
    /// index, or the next one that no other class has.
    static func colors(of names: [String], given: [Color?]) -> [Color] {
        let background = background(of: names)
        var taken = Set(given.prefix(names.count).compactMap { $0 })
        return names.indices.map { index in
            if index < given.count, let color = given[index] { return color }
            let rest = Palette.standard[(index % Palette.standard.count)...] + Palette.standard[..<index]
            let wanted = (index == background ? [Color(0, 0, 0)] : []) + rest
            let color = wanted.first { !taken.contains($0) } ?? wanted[0]
            taken.insert(color)
            return color
        }
    }
}
