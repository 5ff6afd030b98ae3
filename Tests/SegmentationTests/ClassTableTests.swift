import Segmentation
import Testing

@Suite struct ClassTableTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String) throws -> ClassTable {
        try ClassTable(classesFile: folder.write(text, to: "classes.txt"))
    }

    @Test func namesAlone() throws {
        let table = try read("\u{FEFF}# my classes\nsky\r\ntraffic light\n\n tree \n")
        #expect(table.names == ["sky", "traffic light", "tree"])
        #expect(table.palette == Array(Palette.standard.prefix(3)))
    }

    @Test func backgroundIsBlack() throws {
        let table = try read("cell\nBackground\nnucleus\n")
        #expect(table.background == 1)
        #expect(table.palette == [Palette.standard[0], Color(0, 0, 0), Palette.standard[2]])
        #expect(ClassTable(names: ["road", "sky"]).background == nil)
        #expect(KnownClasses.voc.table?.background == 0 && KnownClasses.cityscapes.table?.background == nil)
    }

    @Test func madeUpColoursAreNoOthers() throws {
        // The third class has what would be the first one's.
        let first = Palette.standard[0]
        let table = try read("a\nb\nc \(first.hex)\n")
        #expect(table.palette == [Palette.standard[1], Palette.standard[2], first])
        for count in [1, 21, 255] { #expect(Set(ClassTable(count: count).palette).count == count) }
    }

    @Test func colors() throws {
        let table = try read("sky 70 130 180\ntraffic light #faaa1e\nroad\nwall,1,2,3")
        #expect(table.names == ["sky", "traffic light", "road", "wall"])
        #expect(table.palette == [Color(70, 130, 180), Color(250, 170, 30), Palette.standard[2], Color(1, 2, 3)])
    }

    @Test func indices() throws {
        let table = try read("1: road 1 2 3\n0 sky\n255 void\n2\ttraffic sign\n")
        #expect(table.names == ["sky", "road", "traffic sign"])
        #expect(table.palette[1] == Color(1, 2, 3))
        // A name may begin with a number where not all do.
        #expect(try read("sky\n3 wheeler\n").names == ["sky", "3 wheeler"])
    }

    @Test(arguments: [
        ("", "names no class"), ("a\na\n", ":2: names the class `a` a second time"),
        ("0 a\n2 b\n", ":2: has the index 2 where 1 is expected"), ("#ff0000\n", "names no class"),
        ("x\n 1 2 3 #000000\n1 2 3 4\n", ""), ("\0", "is not UTF-8 text"),
    ])
    func faults(text: String, problem: String) throws {
        let message = failure { _ = try read(text) }
        #expect(problem.isEmpty || message?.contains(problem) == true, "\(message ?? "no error")")
    }

    @Test func tooManyClasses() throws {
        #expect(try read((0..<255).map { "c\($0)\n" }.joined()).count == 255)
        #expect(failure { _ = try read((0..<256).map { "c\($0)\n" }.joined()) }?.contains("256 classes") == true)
    }

    @Test func writtenTablesReadBack() throws {
        let table = DemoScenes.classes
        #expect(try read(table.classesFile) == table)
    }
}
