import Foundation

extension RunReport {
    /// A class of the data.
    package struct ClassEntry: Sendable {
        /// Its name.
        package var name: String
        /// Its colour in masks, as `#rrggbb`.
        package var colour: String

        /// A class of this name and colour.
        package init(name: String, colour: String) {
            self.name = name
            self.colour = colour
        }
    }

    /// A class's name, whose place in the table of classes may be missing.
    private func name(_ index: Int) -> String {
        escaped(index < classes.count ? classes[index].name : "class \(index)")
    }

    /// A patch of a class's colour.
    private func patch(_ index: Int) -> String {
        index < classes.count ? ReportPage.patch(classes[index].colour) : ""
    }

    /// What the colours in masks mean.
    var legend: String {
        let entries = classes.indices.map { "<li>\(patch($0))\(name($0))</li>" }
        return "<ul class=\"legend\" aria-label=\"Classes\" tabindex=\"0\">\(entries.joined())</ul>"
    }

    /// Every class's IoU, by epoch and in each measurement; nil before the first one.
    var classTable: String? {
        let byEpoch = records.compactMap { record in record.classIOU.map { (record.epoch, $0) } }
        let count = min(255, max(byEpoch.last?.1.count ?? 0, measurements.map(\.iou.count).max() ?? 0))
        guard count > 0 else { return nil }
        var heads = ["class"]
        if let last = byEpoch.last { heads += ["epoch \(last.0 + 1)", "by epoch"] }
        heads += measurements.map { escaped($0.title) }
        let rows = (0..<count).map { index in
            var cells = "<th scope=\"row\">\(patch(index))\(name(index))</th>"
            if let last = byEpoch.last {
                let points = byEpoch.compactMap { epoch, values -> CurvePoint? in
                    index < values.count ? values[index].map { (epoch, $0) } : nil
                }
                cells += ReportPage.figureCell(index < last.1.count ? last.1[index] : nil)
                cells += "<td class=\"spark\">\(sparkline(points))</td>"
            }
            for measurement in measurements {
                cells += ReportPage.figureCell(index < measurement.iou.count ? measurement.iou[index] : nil)
            }
            return "<tr>\(cells)</tr>"
        }
        return """
            <div class="scroll tall" tabindex="0"><table class="classes">
            <caption>IoU of every class, 0 to 1; – where it is neither labelled nor predicted</caption>
            <thead><tr>\(heads.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
    }

    /// A small curve from 0 to 1 over all epochs of the run so far.
    private func sparkline(_ points: [CurvePoint]) -> String {
        guard let first = points.first, let last = points.last, let end = records.last?.epoch else { return "" }
        let start = records.first?.epoch ?? 0
        func place(_ point: CurvePoint) -> String {
            let share = end > start ? Double(point.epoch - start) / Double(end - start) : 0.5
            return "\(number(2 + 116 * share)) \(number(22 - 20 * min(max(point.value, 0), 1)))"
        }
        let drawn = thinned(points, to: classes.count > 60 ? 24 : 60).map(place)
        let words = String(format: "%.3f to %.3f", first.value, last.value)
        return "<svg viewBox=\"0 0 120 24\" role=\"img\" aria-label=\"\(words)\"><path class=\"grid\" d=\"M2 22H118\"/>"
            + "<path class=\"c0 curve\" d=\"M\(drawn.joined(separator: "L"))\(drawn.count == 1 ? "h.1" : "")\"/></svg>"
    }

    /// The classes that most pixels are confused of, as a table; nil where all is right.
    func confusions(_ counts: [[Int]], limit: Int = 8) -> String? {
        var pairs: [(label: Int, prediction: Int, pixels: Int)] = []
        for (label, row) in counts.enumerated() {
            for (prediction, pixels) in row.enumerated() where label != prediction && pixels > 0 {
                pairs.append((label, prediction, pixels))
            }
        }
        if pairs.isEmpty { return nil }
        pairs.sort { $0.pixels > $1.pixels }
        let rows = pairs.prefix(limit).map { pair in
            let all = counts[pair.label].reduce(0, +)
            let share = String(format: "%.1f%%", 100 * Double(pair.pixels) / Double(max(all, 1)))
            return "<tr><th scope=\"row\">\(patch(pair.label))\(name(pair.label))</th>"
                + "<td class=\"text\">\(patch(pair.prediction))\(name(pair.prediction))</td><td>\(share)</td></tr>"
        }
        return """
            <div class="scroll"><table><caption>Most pixels are lost here</caption>
            <thead><tr><th scope="col">labelled</th><th scope="col" class="text">predicted</th>\
            <th scope="col">of its pixels</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
    }
}
