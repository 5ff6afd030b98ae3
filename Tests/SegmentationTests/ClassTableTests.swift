import Datasets
import Images
import Segmentation
import TestSupport
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

    /// `name index` on each line, in any order; a number that tells names apart stays with them.
    @Test func indicesAtTheEnd() throws {
        for text in ["sky 2\nbackground 0\nbig road 1\n", "sky,2\nbackground,0\nbig road, 1\n"] {
            #expect(try read(text).names == ["background", "big road", "sky"])
        }
        #expect(try read("road 1 9 8 7\nsky 0 1 2 3\n").palette == [Color(1, 2, 3), Color(9, 8, 7)])
        #expect(try read("zone 1\nzone 2\n").names == ["zone 1", "zone 2"])
        #expect(try read("a\nroute 66\n").names == ["a", "route 66"])
        for text in ["sky 1\nroad 2\n", "sky 0\nroad 2\n", "sky 0\nroad -1\n"] {
            let problem = failure { _ = try read(text) }
            #expect(problem?.contains("has a number at the end of every line") == true, "\(text)")
        }
    }

    @Test func quotedFields() throws {
        #expect(try read("0, background\n1, \"cat, big\"\n").names == ["background", "cat, big"])
        #expect(try read("name,r,g,b\n\"cat, \"\"big\"\"\",1,2,3\n").names == ["cat, \"big\""])
        let table = try read("name,rgb\nroad,\"0,0,0\"\nsky,\"1, 2, 3\"\n")
        #expect(table.names == ["road", "sky"] && table.palette == [Color(0, 0, 0), Color(1, 2, 3)])
        #expect(try read("road,\"0,0,0\"\nsky,\"1, 2, 3\"\n") == table)
        #expect(try read("\"road\"\n'sky'\n").names == ["road", "sky"])
        #expect(try read("- road\n- 'blue sky'\n").names == ["road", "blue sky"])
        #expect(try read("5\" pipe\nroad\n").names == ["5\" pipe", "road"])
        for text in ["\"road\nsky\n", "\"road\"s\nsky\n"] {
            #expect(failure { _ = try read(text) }?.contains(":1: has a quote that is not closed") == true)
        }
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

    @Test(arguments: [
        ("name,color\nroad,#804080\nsky,#4682b4\n", [Color(128, 64, 128), Color(70, 130, 180)]),
        ("name\nroad\nsky\n", []), ("class name\nroad\nsky\n", []),
        ("index,name,r,g,b\n1,sky,70,130,180\n0,road,128,64,128\n", [Color(128, 64, 128), Color(70, 130, 180)]),
        ("Name;R;G;B\n\"road\";128;64;128\nsky;70;130;180\n", [Color(128, 64, 128), Color(70, 130, 180)]),
        ("r,g,b,label\n128,64,128,road\n70,130,180,sky\n", [Color(128, 64, 128), Color(70, 130, 180)]),
        ("Pixel Value, Class\n 0, road \n 1, sky\n", []), ("name id\nroad 0\nsky 1\n", []),
    ])
    func headers(text: String, palette: [Color]) throws {
        let table = try read(text)
        #expect(table.names == ["road", "sky"])
        #expect(palette.isEmpty ? table.legend.isEmpty : table.palette == palette)
    }

    @Test func headersAreTold() throws {
        try folder.write("x", to: "images/train/a.png")
        try folder.write("name,color\nroad,#804080\nRoad,#804081\n", to: "classes.txt")
        let notes = try Dataset(root: folder.path).notes
        #expect(notes.contains { $0.contains("the first line, `name,color`, is read as a header") })
        #expect(notes.contains { $0.contains("the classes `road` and `Road` differ by their case alone") })
        // A name that is no column's is a class.
        #expect(try read("red\ngreen\n").names == ["red", "green"])
        #expect(failure { _ = try read("name,r,g,b\nroad,1,2\n") }?.contains(":2: does not have the columns") == true)
        #expect(failure { _ = try read("index,name\nx,road\n") }?.contains(":2: does not have the columns") == true)
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
