import Reporting
import Testing

@Suite("Legend below a picture")
struct LegendStripTests {
    private func strip(_ names: [String], width: Int, height: Int) throws -> (shown: Int, [SVGElement])? {
        guard let strip = LegendStrip(names: names, width: width, height: height) else { return nil }
        let entries = names.prefix(strip.shown).map { (name: $0, colour: "#0072b2") }
        return (strip.shown, try elements(of: strip.drawn(entries)))
    }

    @Test(
        "It keeps to its size, whatever the names",
        arguments: [(640, 213), (200, 66), (64, 21), (2048, 60), (33, 300)])
    func size(width: Int, height: Int) throws {
        for count in [1, 2, 7, 30, 255] {
            let names = (0..<count).map { "class <\($0)> " + String(repeating: "x", count: $0 * 3 % 40) }
            guard let (shown, elements) = try strip(names, width: width, height: height) else {
                // Two names need two rows where there is one column.
                #expect(height < 40 && width < 100 && count > 1)
                continue
            }
            #expect(elements[0].value("width") == Double(width) && elements[0].value("height") <= Double(height))
            let patches = elements.filter { $0.name == "rect" && $0["rx"] == "2" }
            #expect(patches.count == shown)
            #expect(
                patches.allSatisfy { $0.value("x") >= 0 && $0.value("x") + $0.value("width") <= Double(width) })
            let told = elements.last { $0.name == "text" }?.text
            #expect((told == "+\(count - shown) more") == (shown < count))
        }
    }

    @Test("Where there is room all names are there in columns; where there is none there is no legend")
    func room() throws {
        let names = ["road", "sky", "tree", "car", "person", "pole"]
        let (shown, elements) = try #require(try strip(names, width: 500, height: 100))
        #expect(shown == 6)
        #expect(elements.filter { $0.name == "text" }.map(\.text) == names)
        let patches = elements.filter { $0.name == "rect" && $0["rx"] == "2" }
        #expect(Set(patches.map { $0.value("y") }).count == 1)
        #expect(try strip(names, width: 400, height: 16) == nil)
        #expect(try strip([], width: 400, height: 100) == nil)
    }
}
