import Foundation

/// The picture formats that are read; a file's format is told by its first bytes, never by its name.
package enum PictureFormat: Hashable, Sendable {
    case png
    case jpeg
    case tiff
    case bmp
    case gif
    case webP
    /// PPM and PGM, in their binary forms.
    case portable

    /// What the format is called in messages.
    package var name: String {
        switch self {
        case .png: "PNG"
        case .jpeg: "JPEG"
        case .tiff: "TIFF"
        case .bmp: "BMP"
        case .gif: "GIF"
        case .webP: "WebP"
        case .portable: "PPM"
        }
    }

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
    package init(_ bytes: [UInt8], file: String) throws {
        if let known = Self.signatures.first(where: { bytes.starts(with: $0.bytes) }) {
            self = known.format
        } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
            self = .webP
        } else if bytes.isEmpty {
            throw DataError(file: file, problem: "is empty")
        } else if let known = Self.otherFormats.first(where: { bytes.starts(with: $0.signature.utf8) }) {
            throw DataError(file: file, problem: "is \(known.name): \(known.remedy)")
        } else if bytes.dropFirst(4).starts(with: "ftyp".utf8) {
            throw DataError(file: file, problem: "is an AVIF, HEIC or video file: convert it to PNG")
        } else {
            throw DataError(file: file, problem: "is no image of a known format (PNG, JPEG, TIFF, BMP, WebP, GIF)")
        }
    }

    private static let signatures: [(bytes: [UInt8], format: PictureFormat)] = [
        ([0x89, 0x50, 0x4E, 0x47], .png), ([0xFF, 0xD8], .jpeg), (Array("II*\0".utf8), .tiff),
        (Array("MM\0*".utf8), .tiff), (Array("II+\0".utf8), .tiff), (Array("MM\0+".utf8), .tiff),
        (Array("BM".utf8), .bmp), (Array("GIF8".utf8), .gif), (Array("P5".utf8), .portable),
        (Array("P6".utf8), .portable),
    ]

    private static let otherFormats = [
        (signature: "P2", name: "a portable image of text", remedy: "save it in its binary form"),
        (signature: "P3", name: "a portable image of text", remedy: "save it in its binary form"),
        (signature: "version https://git-lfs", name: "a Git LFS pointer", remedy: "fetch it with `git lfs pull`"),
        (signature: "8BPS", name: "a Photoshop file", remedy: "convert it to PNG"),
        (signature: "%PDF", name: "a PDF", remedy: "convert it to PNG"),
    ]
}
