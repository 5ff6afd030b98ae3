import Foundation

/// What all reports are put together from: the frame of the page, its sections, and the tables of pairs.
enum ReportPage {
    /// A page that needs nothing beside it.
    ///
    /// - Parameters:
    ///   - title: The title, escaped.
    ///   - header: What stands above the sections.
    ///   - sections: The sections that there are.
    ///   - refreshes: Whether the page loads itself anew.
    ///   - script: Lines of script; none without.
    /// - Returns: HTML.
    static func html(
        title: String, header: String, sections: [String?], refreshes: Bool = false, script: String? = nil
    ) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title>
        <style>
        \(ReportStyle.css)
        </style>
        </head>
        <body\(refreshes ? " data-refresh=\"30\"" : "")>
        <header>\(header)</header>
        <main>
        \(sections.compactMap { $0 }.joined(separator: "\n"))
        </main>
        \(script.map { "<script>\n\($0)\n</script>\n" } ?? "")</body>
        </html>

        """
    }

    /// A section with its heading; nil without a body.
    static func section(_ title: String, _ body: String?) -> String? {
        body.map { "<section aria-label=\"\(title)\"><h2>\(title)</h2>\n\($0)\n</section>" }
    }

    /// Names with their values; nil where there are none.
    static func pairs(_ pairs: [(name: String, value: String)]) -> String? {
        if pairs.isEmpty { return nil }
        let rows = pairs.map {
            "<tr><th scope=\"row\">\(escaped($0.name))</th><td class=\"text\">\(escaped($0.value, limit: 2_000))</td></tr>"
        }
        return "<div class=\"scroll\"><table><tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
    }

    /// A patch of a class's colour.
    static func patch(_ colour: String) -> String { "<i class=\"patch\" style=\"background:\(escaped(colour))\"></i>" }

    /// A share as a figure over a bar.
    static func figureCell(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "<td>–</td>" }
        let bar = number(100 * min(max(value, 0), 1))
        return "<td class=\"bar\">\(String(format: "%.3f", value))<i><b style=\"width:\(bar)%\"></b></i></td>"
    }
}
