import Images
import TestSupport
import Testing

@Suite struct ImageTests {
    @Test func halvingIsTheMeanOfBlocks() {
        let image = Image(width: 4, height: 2, pixels: [10, 20, 30, 40, 50, 60, 70, 80].flatMap { [$0, 0, 255] })
        let half = image.resized(by: 0.5)
        #expect(half == Image(width: 2, height: 1, pixels: [35, 0, 255, 55, 0, 255]))
    }

    @Test func doublingByHand() {
        // Half-pixel centres: positions -0.25, 0.25, 0.75, 1.25 of a row (0, 100).
        let image = Image(width: 2, height: 1, pixels: [0, 0, 0, 100, 100, 100])
        let wide = image.resized(width: 4, height: 1)
        #expect((0..<4).map { wide[$0, 0].red } == [0, 25, 75, 100])
        let mask = Mask(width: 2, height: 1, labels: [3, 7])
        #expect(mask.resized(width: 4, height: 3).labels == [3, 3, 7, 7, 3, 3, 7, 7, 3, 3, 7, 7])
        #expect(mask.resized(width: 1, height: 1).labels == [7])
    }

    @Test func strongShrinkingPassesNoPixelOver() {
        var image = Image(width: 64, height: 64)
        for y in 0..<64 { for x in 0..<64 where (x + y) % 8 == 0 { image[x, y] = Color(255, 255, 255) } }
        let small = image.resized(by: 0.125)
        #expect(small.pixels.allSatisfy { abs(Int($0) - 32) <= 1 })
        #expect(image.resized(by: 0.01).width == 1)
    }

    @Test func sameSizeIsTheSameImage() {
        let image = ramp(width: 13, height: 9)
        #expect(image.resized(by: 1) == image)
        #expect(image.normalized().prefix(2) == [-1, -1])
        #expect(abs(Image(width: 1, height: 1, color: Color(255, 0, 51)).normalized()[2] + 0.6) < 1e-6)
    }

    @Test func overlayLeavesIgnoredPixels() {
        let image = Image(width: 3, height: 1, color: Color(100, 100, 100))
        let mask = Mask(width: 3, height: 1, labels: [0, 1, 255])
        let result = image.overlaid(with: mask, palette: [Color(200, 0, 100), Color(0, 0, 0)], opacity: 0.5)
        #expect(result[0, 0] == Color(150, 50, 100))
        #expect(result[1, 0] == Color(50, 50, 50))
        #expect(result[2, 0] == Color(100, 100, 100))
        #expect(image.overlaid(with: mask, palette: [], opacity: 0) == image)
    }

    @Test func overlayLeavesTheBackground() {
        let image = Image(width: 3, height: 1, color: Color(100, 100, 100))
        let mask = Mask(width: 3, height: 1, labels: [0, 1, 2])
        let palette = [Color(200, 0, 100), Color(0, 0, 0), Color(0, 200, 0)]
        let result = image.overlaid(with: mask, palette: palette, background: 1)
        #expect(result[0, 0] == Color(150, 50, 100))
        #expect(result[1, 0] == Color(100, 100, 100))
        #expect(result[2, 0] == Color(50, 150, 50))
    }

    @Test func jpegHasTheImagesColours() throws {
        var image = Image(width: 24, height: 16, color: Color(213, 94, 0))
        for x in 0..<8 { for y in 0..<16 { image[x, y] = Color(0, 114, 178) } }
        let folder = try TemporaryFolder()
        let path = try folder.write([UInt8](jpegData(image)), to: "a.jpg")
        let read = try readImage(path: path)
        #expect(read.width == 24 && read.height == 16)
        // Colours are not blurred into one another, as they would be at half resolution.
        for (x, color) in [(7, Color(0, 114, 178)), (8, Color(213, 94, 0))] {
            let found = read[x, 8]
            for (one, other) in [(found.red, color.red), (found.green, color.green), (found.blue, color.blue)] {
                #expect(abs(Int(one) - Int(other)) <= 12)
            }
        }
    }

    @Test func gridPlacesImages() {
        let (red, blue) = (Color(255, 0, 0), Color(0, 0, 255))
        let sheet = Image.grid(
            [[Image(width: 2, height: 2, color: red)], [Image(width: 1, height: 1, color: blue)]], gap: 1)
        #expect(sheet.width == 2 && sheet.height == 4)
        #expect(sheet[1, 1] == red && sheet[0, 2] == Color(255, 255, 255) && sheet[0, 3] == blue)
    }

    @Test func paletteOfVOC() {
        let palette = Palette.voc
        #expect(palette.count == 256 && Set(palette).count == 256)
        #expect(palette[0] == Color(0, 0, 0) && palette[1] == Color(128, 0, 0) && palette[8] == Color(64, 0, 0))
        #expect(palette[20] == Color(0, 64, 128) && palette[255] == Color(224, 224, 192))
    }

    @Test func colorsAsText() {
        #expect(Color(hex: "#0a80ff") == Color(10, 128, 255))
        #expect(Color(10, 128, 255).hex == "#0a80ff" && Color(0, 0, 1).hex == "#000001")
        for text in ["", "#12345", "#1234567", "123456", "#12345g", "#+12345"] { #expect(Color(hex: text) == nil) }
    }

    @Test(arguments: [
        ("a/b", "a"), ("a", ""), ("", ""), ("/", "/"), ("/a", "/"), ("//a", "/"), ("a/", ""), ("a/b/", "a"),
        ("/a/b/c.d", "/a/b"),
        ("a//b", "a"), ("ä", ""), ("ä/ö", "ä"), ("./a", "."), ("..", ""),
    ]) func folderOfAPath(path: String, folder: String) {
        #expect(folderPart(of: path) == folder)
    }
}
