import Datasets
import Foundation
import Images
import TestSupport

extension TemporaryFolder {
    /// Writes an image and a mask that tell where each pixel was: red = column, green = row, blue = `mark`, and
    /// label = (column + 2 row) mod 5.
    func writeSample(image: String, mask: String, width: Int, height: Int, mark: UInt8 = 0) throws {
        try writePNG(ramp(width: width, height: height, mark: mark), to: place(image))
        try writePNG(rampMask(width: width, height: height), palette: [], to: place(mask))
    }
}

extension TemporaryFolder {
    /// Writes a data set of eleven training samples, no two of one size, and five classes.
    func writeSamplesOfManySizes() throws -> [Sample] {
        for index in 0..<11 {
            try writeSample(
                image: "images/train/s\(index).png", mask: "masks/train/s\(index).png", width: 24 + index,
                height: 30 - index, mark: UInt8(index))
        }
        try write("a\nb\nc\nd\ne\n", to: "classes.txt")
        return try Dataset(root: path).samples(.train)
    }
}

/// An image whose colours tell each pixel's place.
func ramp(width: Int, height: Int, mark: UInt8 = 0) -> Image {
    var image = Image(width: width, height: height)
    for y in 0..<height { for x in 0..<width { image[x, y] = Color(UInt8(x & 255), UInt8(y & 255), mark) } }
    return image
}

/// A mask whose labels follow from each pixel's place.
func rampMask(width: Int, height: Int) -> Mask {
    Mask(width: width, height: height, labels: (0..<width * height).map { UInt8(($0 % width + 2 * ($0 / width)) % 5) })
}

/// Real data sets, beside the package; nil where they are not there.
func sharedData(_ name: String) -> String? {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let path = package.deletingLastPathComponent().appendingPathComponent("shared/data/\(name)").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
}
