import Foundation

/// The picture formats that are read; a file's format is told by its first bytes, never by its name.
package enum PictureFormat: Hashable, Sendable {
    case png
    case jpeg

    /// Endings of the names that are taken for pictures where folders are searched: lower case, without the dot.
    package static let extensions: Set<String> = lossyExtensions.union([
        "png", "tif", "tiff", "bmp", "dib", "gif", "webp", "ppm", "pgm", "pnm",
    ])

    /// Those of them whose files never hold labels: JPEG alters values.
    package static let lossyExtensions: Set<String> = ["jpg", "jpeg", "jpe", "jfif"]

    /// The endings for messages.
    package static let listOfExtensions = ".png, .jpg, .tif, .bmp, .webp or .gif"

    /// Whether a file is taken for a picture by its name, whatever the case of its ending.
    package static func isPicture(_ name: String) -> Bool { extensions.contains(ending(of: name)) }

    /// Whether a file is by its name a JPEG, which holds no labels.
    package static func isLossy(_ name: String) -> Bool { lossyExtensions.contains(ending(of: name)) }

    private static func ending(of name: String) -> String { (name as NSString).pathExtension.lowercased() }

    /// Recognises a file; anything else is refused with the name of what it seems to be.
    init(_ bytes: [UInt8], file: String) throws {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
            self = .png
        } else if bytes.starts(with: [0xFF, 0xD8]) {
            self = .jpeg
        } else if bytes.isEmpty {
            throw DataError(file: file, problem: "is empty")
        } else if let known = Self.otherFormats.first(where: { bytes.starts(with: $0.signature.utf8) }) {
            throw DataError(file: file, problem: "is \(known.name), not a PNG or JPEG image: \(known.remedy)")
        } else {
            throw DataError(file: file, problem: "is neither a PNG nor a JPEG image")
        }
    }

    private static let otherFormats = [
        (signature: "GIF8", name: "a GIF", remedy: "convert it to PNG"),
        (signature: "BM", name: "a BMP", remedy: "convert it to PNG"),
        (signature: "II*\0", name: "a TIFF", remedy: "convert it to PNG"),
        (signature: "MM\0*", name: "a TIFF", remedy: "convert it to PNG"),
        (signature: "RIFF", name: "a RIFF (WebP?) file", remedy: "convert it to PNG"),
        (signature: "version https://git-lfs", name: "a Git LFS pointer", remedy: "fetch it with `git lfs pull`"),
    ]
}
