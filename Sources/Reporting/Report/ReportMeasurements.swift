import Foundation

extension RunReport {
    /// What a network came to on a set of images.
    package struct Measurement: Sendable {
        /// What it was: "validation" or a split's name.
        package var title: String
        /// How it was done: scales and mirroring.
        package var method = ""
        /// Number of images.
        package var images = 0
        /// Mean over the classes that are there.
        package var mIOU = 0.0
        /// Share of labelled pixels that are right.
        package var pixelAccuracy = 0.0
        /// Mean of the classes' own accuracies.
        package var meanAccuracy = 0.0
        /// IoU of each class; nil where it is absent.
        package var iou: [Double?] = []
        /// Pixels by label, then by prediction: a square, or empty where it is not known.
        package var confusion: [[Int]] = []
        /// Images that went worst, the worst first.
        package var worst: [Picture] = []

        /// Nothing but its title.
        package init(title: String) { self.title = title }
    }

    /// A picture with what it shows.
    package struct Picture: Sendable {
        /// What it shows.
        package var caption: String
        /// A JPEG or PNG file's bytes.
        package var data: Data

        /// A picture of these bytes.
        package init(caption: String, data: Data) {
            self.caption = caption
            self.data = data
        }

        /// An element of the page that needs no other file.
        func html(_ description: String) -> String {
            let type = data.first == 0xFF ? "jpeg" : "png"
            return
                "<img alt=\"\(escaped(description))\" src=\"data:image/\(type);base64,\(data.base64EncodedString())\">"
        }
    }

    /// Validation images, with the legend beside them.
    var sampleFigure: String? {
        samples.map { data in
            """
            <div class="beside"><figure class="card"><figcaption>Validation images, their truth, and what the network \
            sees</figcaption>
            <div class="scroll pictures" tabindex="0">\(Picture(caption: "", data: data)
                .html("Rows of a validation image, its truth and the prediction"))</div></figure>
            \(classes.isEmpty ? "" : legend)</div>
            """
        }
    }

    /// The figures of all measurements.
    var measurementTable: String? {
        if measurements.isEmpty { return nil }
        func figure(_ value: Double) -> String { String(format: "%.4f", value) }
        let rows = measurements.map { entry in
            let figures = [entry.mIOU, entry.pixelAccuracy, entry.meanAccuracy].map { "<td>\(figure($0))</td>" }
            return "<tr><th scope=\"row\">\(escaped(entry.title))</th><td>\(entry.images)</td>\(figures.joined())"
                + "<td class=\"text\">\(escaped(entry.method))</td></tr>"
        }
        return """
            <div class="scroll"><table>
            <thead><tr><th scope="col">measured on</th><th scope="col">images</th><th scope="col">mIOU</th>\
            <th scope="col">pixel accuracy</th><th scope="col">mean accuracy</th><th scope="col" class="text"></th></tr>\
            </thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
    }

    /// What classes are taken for what others.
    var confusionFigures: String? {
        let figures = measurements.compactMap { entry -> String? in
            let counts = entry.confusion
            guard !counts.isEmpty, counts.allSatisfy({ $0.count == counts.count }) else { return nil }
            let chosen = RunReport.mostConfused(counts, limit: 30)
            let names = chosen.map { $0 < classes.count ? classes[$0].name : "class \($0)" }
            let part = chosen.map { row in chosen.map { counts[row][$0] } }
            let title = "Percent of each class's pixels"
            let left = counts.count - chosen.count
            let cut = left > 0 ? "<p class=\"quiet\">Without the \(left) classes that lose the fewest pixels.</p>" : ""
            return """
                <h3>\(escaped(entry.title))</h3>
                <div class="beside"><div class="card drawing scroll" tabindex="0">\(drawConfusion(
                    names: names, counts: part, totals: chosen.map { counts[$0].reduce(0, +) }, title: title))</div>
                \(confusions(counts) ?? "")</div>\(cut)
                """
        }
        return figures.isEmpty ? nil : figures.joined(separator: "\n")
    }

    /// The classes whose pixels are most often wrong, in their own order.
    static func mostConfused(_ counts: [[Int]], limit: Int) -> [Int] {
        guard counts.count > limit else { return Array(counts.indices) }
        let wrong = counts.indices.map { index in
            counts[index].reduce(0, +) + counts.reduce(0) { $0 + $1[index] } - 2 * counts[index][index]
        }
        return counts.indices.sorted { (wrong[$0], $1) > (wrong[$1], $0) }.prefix(limit).sorted()
    }

    /// The images that went worst.
    var worstFigures: String? {
        let parts = measurements.filter { !$0.worst.isEmpty }.map { entry in
            let figures = entry.worst.map { picture in
                """
                <figure class="card"><figcaption>\(escaped(picture.caption))</figcaption>
                <div class="scroll pictures" tabindex="0">\(picture.html("Image, truth and prediction"))</div></figure>
                """
            }
            return "<h3>\(escaped(entry.title))</h3><div class=\"cards wide\">\(figures.joined(separator: "\n"))</div>"
        }
        guard !parts.isEmpty else { return nil }
        return "<p class=\"quiet\">The image, its truth over it, the prediction over it; each picture's own mIOU.</p>\n"
            + parts.joined(separator: "\n")
    }
}
