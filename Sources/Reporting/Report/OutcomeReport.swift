import Foundation

/// The page that a whole run ends with: how good the network is, on what it fails, how it was chosen, what to do next.
package struct OutcomeReport: Sendable {
    /// A heading and the figure or word below it.
    package struct Fact: Sendable {
        /// What it is.
        package var name: String
        /// Its value.
        package var value: String

        /// A fact.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A class with its measure.
    package struct ClassRow: Sendable {
        /// The class's name.
        package var name: String
        /// Its colour as `#rrggbb`.
        package var colour: String
        /// Intersection over union; nil where the class is absent.
        package var iou: Double?
        /// Labelled pixels.
        package var pixels: Int

        /// A class of the table.
        package init(name: String, colour: String, iou: Double?, pixels: Int) {
            self.name = name
            self.colour = colour
            self.iou = iou
            self.pixels = pixels
        }
    }

    /// A picture with what it shows.
    package struct Picture: Sendable {
        /// What it shows.
        package var caption: String
        /// A PNG file.
        package var png: Data

        /// A picture.
        package init(caption: String, png: Data) {
            self.caption = caption
            self.png = png
        }
    }

    /// The run's name.
    package var name: String
    /// The figure that matters, in a sentence.
    package var headline: String
    /// What qualifies it, a sentence each.
    package var remarks: [String] = []
    /// Figures at a glance.
    package var facts: [Fact] = []
    /// Class by class.
    package var classes: [ClassRow] = []
    /// Images, labels and predictions.
    package var pictures: [Picture] = []
    /// An SVG drawing of the network.
    package var drawing = ""
    /// The candidates and what they came to.
    package var candidates: RunReport.Table?
    /// What was done in what time.
    package var stages: RunReport.Table?
    /// What was decided, and why.
    package var choices: [Fact] = []
    /// Commands to go on with, with what they do.
    package var next: [Fact] = []

    /// A report of this name and headline.
    package init(name: String, headline: String) {
        self.name = name
        self.headline = headline
    }

    /// The whole page, which needs nothing beside it.
    package func html() -> String {
        let sections = [
            ReportPage.section("At a glance", pairs(facts)), ReportPage.section("Classes", classTable),
            ReportPage.section("Pictures", figures),
            ReportPage.section("The network", network),
            ReportPage.section("Candidates", candidates?.html), ReportPage.section("Time", stages?.html),
            ReportPage.section("What was decided, and why", pairs(choices)),
            ReportPage.section("What to do next", commands),
        ]
        let header = ["<h1>\(escaped(headline))</h1>"] + remarks.map { "<p>\(escaped($0, limit: 2_000))</p>" }
        return ReportPage.html(
            title: escaped(name), header: header.joined(separator: "\n") + "\n", sections: sections)
    }

    private var network: String? {
        drawing.isEmpty ? nil : "<div class=\"card drawing scroll\" tabindex=\"0\">\(drawing)</div>"
    }

    private var classTable: String? {
        if classes.isEmpty { return nil }
        let rows = classes.map { entry in
            "<tr><th scope=\"row\">\(ReportPage.patch(entry.colour))\(escaped(entry.name))</th>"
                + "\(ReportPage.figureCell(entry.iou))<td>\(entry.pixels)</td></tr>"
        }
        return """
            <div class="scroll tall" tabindex="0"><table class="classes">
            <caption>IoU of every class, 0 to 1; – where it is neither labelled nor predicted</caption>
            <thead><tr><th scope="col">class</th><th scope="col">IoU</th><th scope="col">labelled pixels</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
    }

    private var figures: String? {
        if pictures.isEmpty { return nil }
        let items = pictures.map {
            "<figure class=\"card\"><figcaption>\(escaped($0.caption))</figcaption>"
                + "<img alt=\"\(escaped($0.caption))\" src=\"data:image/png;base64,\($0.png.base64EncodedString())\"></figure>"
        }
        return
            "<p class=\"quiet\">Image, labels, prediction.</p><div class=\"cards wide\">\(items.joined(separator: "\n"))</div>"
    }

    private func pairs(_ facts: [Fact]) -> String? { ReportPage.pairs(facts.map { ($0.name, $0.value) }) }

    private var commands: String? {
        if next.isEmpty { return nil }
        return next.map { "<h3>\(escaped($0.name))</h3><pre tabindex=\"0\">\(escaped($0.value))</pre>" }
            .joined(separator: "\n")
    }
}
