import Images

/// `labelmap.txt`, as CVAT and Datumaro write it beside masks: `label:color_rgb:parts:actions` on each line, as
/// `crack:128,0,0::`.
struct CVATLabelMap {
    /// The classes, in the file's order, with their colours.
    let table: ClassTable

    /// The names that the file has.
    static let name = "labelmap.txt"

    /// Reads a label map.
    init(_ path: String) throws {
        func fail(_ line: Int, _ problem: String) -> DataError { DataError(file: "\(path):\(line)", problem: problem) }
        var names: [String] = []
        var palette: [Color?] = []
        var legend: [Color: UInt8] = [:]
        for (offset, line) in try readTextFile(path).enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map { trimmed(String($0)) }
            guard fields.count >= 2, !fields[0].isEmpty else {
                throw fail(offset + 1, "is no `label:color_rgb:parts:actions`, as in `crack:128,0,0::`")
            }
            guard names.count < 255 else { throw fail(offset + 1, "is the 256th class; there may be 255") }
            guard !names.contains(fields[0]) else {
                throw fail(offset + 1, "names the class `\(fields[0])` a second time")
            }
            let channels = fields[1].split(separator: ",").map { UInt8(trimmed(String($0))) }
            guard fields[1].isEmpty || channels.count == 3 && !channels.contains(nil) else {
                throw fail(
                    offset + 1, "has the colour `\(fields[1].prefix(40))`: three numbers from 0 to 255 belong there")
            }
            let own = channels.compactMap { $0 }
            let label = UInt8(names.count)
            if own.count == 3 {
                let color = Color(own[0], own[1], own[2])
                if let other = legend.updateValue(label, forKey: color) {
                    throw fail(offset + 1, "has the colour \(color.hex) of the class \(names[Int(other)])")
                }
            }
            palette.append(own.count == 3 ? Color(own[0], own[1], own[2]) : nil)
            names.append(fields[0])
        }
        guard !names.isEmpty else { throw DataError(file: path, problem: "names no class") }
        // VOC's boundary between objects, where no class has its colour.
        let void = Palette.voc[255]
        if !legend.isEmpty, legend[void] == nil { legend[void] = Mask.ignored }
        table = ClassTable(
            names: names, palette: ClassTable.colors(of: names, given: palette), legend: legend)
    }

    /// The file in a data set's folder, or beside VOC's own folders.
    static func path(_ root: String) -> String? {
        [root, VOCLayout.base(root)].compactMap { $0 }.map { join($0, name) }.first(where: isFile)
    }
}
