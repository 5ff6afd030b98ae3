import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Masks in the forms in which people have them.
@Suite struct MaskFormTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private let red = Color(255, 0, 0)
    private let green = Color(0, 255, 0)
    private let blue = Color(0, 0, 255)

    /// Writes an image and a mask of the given kind, and opens the folder.
    private func dataset(
        _ mask: PNGBuilder, classes: String, options: DatasetOptions = DatasetOptions()
    ) throws -> Dataset {
        try writePNG(ramp(width: mask.width, height: mask.height), to: folder.place("images/train/a.png"))
        try folder.write(mask.bytes(), to: "masks/train/a.png")
        try folder.write(classes, to: "classes.txt")
        return try Dataset(root: folder.path, options: options)
    }

    private func labels(_ dataset: Dataset) throws -> [UInt8] {
        try dataset.reader().read(dataset.samples(.train)[0]).mask.labels
    }

    private func colors(_ colors: Color...) -> PNGBuilder {
        PNGBuilder(
            width: colors.count, height: 1, type: 2, depth: 8,
            samples: colors.flatMap { [Int($0.red), Int($0.green), Int($0.blue)] })
    }

    @Test func coloursOfTheClassFile() throws {
        let mask = colors(red, green, blue, green, Color(9, 9, 9))
        let table = "0 sky 255 0 0\n1 road 0 255 0\n1 lane #0000ff\n255 void 9 9 9\n"
        #expect(try labels(dataset(mask, classes: table)) == [0, 1, 1, 1, 255])
        let named = try dataset(mask, classes: table).classes
        #expect(named.names == ["sky", "road"] && named.palette == [red, green])
    }

    @Test func coloursCanBeIgnoredAndMergedByTheirIndices() throws {
        var options = DatasetOptions()
        options.mapping = [2: 0]
        options.ignoring = [1]
        let mask = colors(red, green, blue)
        let table = "a 255 0 0\nb 0 255 0\nc 0 0 255\n"
        #expect(try labels(dataset(mask, classes: table, options: options)) == [0, 255, 0])
    }

    @Test func unknownColoursAreNamedWithTheirPlace() throws {
        let dataset = try dataset(colors(red, Color(1, 2, 3)), classes: "a 255 0 0\n")
        let message = failure { _ = try labels(dataset) }
        let expected = "a.png: has the colour #010203 (1 2 3) at column 1, row 0, which is no class's"
        #expect(message?.contains(expected) == true)
    }

    @Test func colourMasksWithoutColoursOfClassesAreRefused() throws {
        let dataset = try dataset(colors(red), classes: "a\nb\n")
        #expect(failure { _ = try labels(dataset) }?.contains("is a colour PNG, and a mask must hold") == true)
    }

    /// Many programs save greys as colours: indices, or greys for show, are taken alike where classes have no colours.
    @Test func greysStoredAsColours() throws {
        func grey(_ values: Int..., type: UInt8 = 2, depth: Int = 8) -> PNGBuilder {
            let samples = values.flatMap { [$0, $0, $0] + (type == 6 ? [255] : []) }
            return PNGBuilder(width: values.count, height: 1, type: type, depth: depth, samples: samples)
        }
        #expect(try labels(dataset(grey(0, 1, 2, 255), classes: "a\nb\nc\n")) == [0, 1, 2, 255])
        #expect(try labels(dataset(grey(1, 0, type: 6), classes: "a\nb\n")) == [1, 0])
        let shown = try dataset(grey(255, 128, 0), classes: "a\nb\nc\n")
        #expect(try labels(shown) == [2, 1, 0] && shown.meaning.map == [128: 1, 255: 2])
        var options = DatasetOptions()
        options.masks = .binary
        let both = try dataset(grey(1, 255), classes: "a\nb\n", options: options)
        #expect(failure { _ = try labels(both) }?.contains("holds 1 and 255") == true)
        // Of 16 bits each only the upper half would be left.
        let wide = try dataset(grey(1, 0, depth: 16), classes: "a\nb\n")
        #expect(failure { _ = try labels(wide) }?.contains("is a colour PNG") == true)
    }

    @Test func greysStoredAsColoursInTiles() throws {
        let mask = PNGBuilder(width: 2, height: 1, type: 2, depth: 8, samples: [1, 1, 1, 0, 0, 0])
        _ = try dataset(mask, classes: "a\nb\n")
        var options = DatasetOptions()
        (options.tiles.height, options.tiles.width) = (1, 2)
        #expect(try labels(Dataset(root: folder.path, layout: .tiles, options: options)) == [1, 0])
    }

    @Test func otherFormatsAreNamed() throws {
        let dataset = try dataset(colors(red, green), classes: "a\nb\n")
        try FileManager.default.removeItem(atPath: folder.place("masks/train/a.png"))
        let tiff = TIFFBuilder(width: 2, height: 1, samples: 3, photometric: 2, values: [255, 0, 0, 0, 255, 0])
        try folder.write(tiff.bytes(), to: "masks/train/a.tif")
        #expect(failure { _ = try labels(dataset) }?.contains("a.tif: is a colour TIFF, and a mask must") == true)
        try folder.write(
            TIFFBuilder(width: 2, height: 1, samples: 3, photometric: 2, values: [1, 1, 1, 0, 0, 0]).bytes(),
            to: "masks/train/a.tif")
        #expect(try labels(dataset) == [1, 0])
    }

    @Test func furtherPagesOfMasksAreTold() throws {
        _ = try dataset(colors(red), classes: "a\nb\n")
        try FileManager.default.removeItem(atPath: folder.place("masks/train/a.png"))
        var tiff = TIFFBuilder(width: 1, height: 1, values: [1])
        tiff.hasSecondPage = true
        try folder.write(tiff.bytes(), to: "masks/train/a.tif")
        let report = try DatasetCheck(try Dataset(root: folder.path), threads: 1).run()
        #expect(report.notes.contains("\(folder.path)/masks/train/a.tif: holds several pages: the first is read"))
    }

    /// A palette PNG whose indices are arbitrary, while its colours are right.
    @Test func palettesAreReadByColourWhereTheyContradictTheClassFile() throws {
        let mask = PNGBuilder(
            width: 2, height: 1, type: 3, depth: 8, palette: [0, 0, 0, 0, 255, 0, 255, 0, 0], samples: [2, 1])
        var options = DatasetOptions()
        options.masks = .colors
        let table = "a 255 0 0\nb 0 255 0\nc 0 0 255\n"
        #expect(try labels(dataset(mask, classes: table, options: options)) == [0, 1])
        let seen = try dataset(mask, classes: table)
        #expect(try labels(seen) == [0, 1])
        #expect(
            seen.notes.count == 1 && seen.notes[0].contains("has the colour #ff0000 of a at index 2 of its palette"))
        options.masks = .indices
        #expect(try labels(dataset(mask, classes: table, options: options)) == [2, 1])
    }

    @Test func binaryMasksByNameAndBySight() throws {
        let mask = PNGBuilder(width: 4, height: 1, type: 0, depth: 8, samples: [0, 255, 255, 0])
        let seen = try dataset(mask, classes: "background\ncell\n")
        #expect(try labels(seen) == [0, 1, 1, 0])
        #expect(seen.notes.count == 1 && seen.notes[0].contains("255 is read as cell (data.masks: binary)"))
        // With three classes, or where it is denied, 255 is the ignored label.
        #expect(try labels(dataset(mask, classes: "a\nb\nc\n")) == [0, 255, 255, 0])
        var options = DatasetOptions()
        options.masks = .indices
        #expect(try labels(dataset(mask, classes: "a\nb\n", options: options)) == [0, 255, 255, 0])
        options.masks = .binary
        #expect(try dataset(mask, classes: "a\nb\n", options: options).notes.isEmpty)
        let soft = PNGBuilder(width: 2, height: 1, type: 0, depth: 8, samples: [0, 37])
        let message = failure { _ = try labels(dataset(soft, classes: "a\nb\n", options: options)) }
        #expect(message?.contains("has the label 37 at column 1, row 0, but a binary mask holds 0 and 255") == true)
        let white = colors(Color(255, 255, 255), Color(0, 0, 0))
        #expect(try labels(dataset(white, classes: "a\nb\n", options: options)) == [1, 0])
        let bits = PNGBuilder(width: 3, height: 1, type: 0, depth: 1, samples: [1, 0, 1])
        #expect(try labels(dataset(bits, classes: "a\nb\n", options: options)) == [1, 0, 1])
    }

    @Test func smoothedEdgesArePartedAtHalf() throws {
        var options = DatasetOptions()
        options.masks = .threshold
        let soft = PNGBuilder(width: 6, height: 1, type: 0, depth: 8, samples: [0, 1, 127, 128, 200, 255])
        #expect(try labels(dataset(soft, classes: "a\nb\n", options: options)) == [0, 0, 0, 1, 1, 1])
        let wide = PNGBuilder(width: 4, height: 1, type: 0, depth: 16, samples: [255, 32_767, 32_768, 65_535])
        #expect(try labels(dataset(wide, classes: "a\nb\n", options: options)) == [0, 0, 1, 1])
        let grey = colors(Color(130, 130, 130), Color(90, 90, 90))
        #expect(try labels(dataset(grey, classes: "a\nb\n", options: options)) == [1, 0])
        options.ignoring = [128]
        #expect(try labels(dataset(soft, classes: "a\nb\n", options: options)) == [0, 0, 0, 255, 1, 1])
        let red = colors(Color(255, 0, 0), Color(0, 0, 0))
        #expect(failure { _ = try labels(dataset(red, classes: "a\nb\n", options: options)) } != nil)
    }

    @Test func binaryMasksNeedNoClassFile() throws {
        var options = DatasetOptions()
        options.masks = .binary
        try writePNG(ramp(width: 2, height: 1), to: folder.place("images/train/a.png"))
        let mask = PNGBuilder(width: 2, height: 1, type: 0, depth: 8, samples: [255, 0])
        try folder.write(mask.bytes(), to: "masks/train/a.png")
        let dataset = try Dataset(root: folder.path, options: options)
        #expect(dataset.classes.names == ["background", "foreground"])
        #expect(try labels(dataset) == [1, 0])
    }

    @Test func indicesOf16BitsAreMapped() throws {
        let mask = PNGBuilder(width: 4, height: 1, type: 0, depth: 16, samples: [0, 1_000, 65_535, 1])
        var options = DatasetOptions()
        options.mapping = [1_000: 2]
        options.ignoring = [65_535]
        #expect(try labels(dataset(mask, classes: "a\nb\nc\n", options: options)) == [0, 2, 255, 1])
        let message = failure { _ = try labels(dataset(mask, classes: "a\nb\nc\n")) }
        #expect(message?.contains("has the label 1000 at column 1, row 0, but there are 3 classes") == true)
    }

    @Test(arguments: [
        ("0 a 1 2 3\n0 b\n", ":2: has the index 0 a second time"),
        ("0 a 1 2 3\n1 b 1 2 3\n", ":2: has the colour #010203 of the class 0"),
        ("a 1 2 3\nb 1 2 3\n", ":2: has the colour #010203 of the class 0"),
        ("0 a\n300 b\n", ":2: has the index 300: indices run from 0 to 254, 255 ignored"),
    ])
    func faultsOfColourTables(text: String, problem: String) throws {
        let path = try folder.write(text, to: "classes.txt")
        #expect(failure { _ = try ClassTable(classesFile: path) }?.contains(problem) == true)
    }

    /// White background and black things, as the class file has it, in masks of one bit and in grey palettes.
    @Test func greysOfTheClassFile() throws {
        let classes = "background 255 255 255\nthing 0 0 0\n"
        let png = PNGBuilder(width: 4, height: 1, type: 0, depth: 1, samples: [1, 1, 0, 1])
        #expect(try labels(dataset(png, classes: classes)) == [0, 0, 1, 0])
        // Where the class file agrees, or has other colours, values are indices.
        #expect(try labels(dataset(png, classes: "background 0 0 0\nthing 255 255 255\n")) == [1, 1, 0, 1])
        #expect(try labels(dataset(png, classes: "road 128 64 128\nsky 0 0 0\n")) == [1, 1, 0, 1])
        let dataset = try dataset(png, classes: classes)
        #expect(dataset.meaning.form == .colors && dataset.notes.contains { $0.contains("the colours of all masks") })
        try FileManager.default.removeItem(atPath: folder.place("masks/train/a.png"))
        for (bits, values, photometric) in [(1, [1, 1, 0, 1], 1), (1, [0, 0, 1, 0], 0), (8, [255, 255, 0, 255], 1)] {
            let tiff = TIFFBuilder(width: 4, height: 1, bits: bits, photometric: photometric, values: values)
            try folder.write(tiff.bytes(), to: "masks/train/a.tif")
            #expect(try labels(Dataset(root: folder.path)) == [0, 0, 1, 0], "\(bits) bits, \(photometric)")
        }
    }

    @Test func builtInTables() throws {
        let counts: [KnownClasses: Int] = [.camvid: 11, .cityscapes: 19, .voc: 21, .ade20k: 150]
        for (known, count) in counts { #expect(known.table?.count == count) }
        #expect(KnownClasses.none.table == nil)
        // The colour of the void in VOC's masks.
        #expect(KnownClasses.voc.table?.legend[Color(224, 224, 192)] == 255)
        #expect(KnownClasses.cityscapes.table?.palette[13] == Color(0, 0, 142))
        #expect(KnownClasses.ade20k.table?.names[149] == "flag")
        let coded = try JSONDecoder().decode(
            ClassTable.self, from: JSONEncoder().encode(try #require(KnownClasses.camvid.table)))
        #expect(coded.names == KnownClasses.camvid.table?.names && coded.palette == KnownClasses.camvid.table?.palette)
    }
}
