import CSpng
import Foundation

/// Writes an RGB image as PNG, whole or not at all.
///
/// - Parameters:
///   - image: The image.
///   - path: The file.
///   - software: The program that made the file, noted in it as `Software`; none without it.
/// - Throws: ``DataError`` where the file cannot be written.
public func writePNG(_ image: Image, to path: String, software: String? = nil) throws {
    let bytes = try encodePNG(
        image.pixels, width: image.width, height: image.height, type: SPNG_COLOR_TYPE_TRUECOLOR, palette: [],
        software: software, file: path)
    try writeFileAtomically(bytes, to: path)
}

/// An RGB image as the bytes of a PNG file; errors name the file that it is for.
public func pngData(_ image: Image, file: String = "image") throws -> Data {
    try encodePNG(
        image.pixels, width: image.width, height: image.height, type: SPNG_COLOR_TYPE_TRUECOLOR, palette: [],
        file: file)
}

/// Writes a mask as palette PNG, whole or not at all: the pixels are the labels, the palette their colours.
///
/// Labels beyond the given colours get the standard ones, so that every label can be written and seen.
///
/// - Parameters:
///   - mask: The mask.
///   - palette: The labels' colours.
///   - path: The file.
///   - software: The program that made the file, noted in it as `Software`; none without it.
/// - Throws: ``DataError`` where the file cannot be written.
public func writePNG(_ mask: Mask, palette: [Color], to path: String, software: String? = nil) throws {
    let colors = palette.prefix(256) + Palette.standard.dropFirst(palette.count)
    let bytes = try encodePNG(
        mask.labels, width: mask.width, height: mask.height, type: SPNG_COLOR_TYPE_INDEXED, palette: colors,
        software: software, file: path)
    try writeFileAtomically(bytes, to: path)
}

/// Writes a mask as grey PNG, whole or not at all: the pixels are the labels.
///
/// - Parameters:
///   - mask: The mask.
///   - path: The file.
///   - software: The program that made the file, noted in it as `Software`; none without it.
/// - Throws: ``DataError`` where the file cannot be written.
public func writeGreyPNG(_ mask: Mask, to path: String, software: String? = nil) throws {
    let bytes = try encodePNG(
        mask.labels, width: mask.width, height: mask.height, type: SPNG_COLOR_TYPE_GRAYSCALE, palette: [],
        software: software, file: path)
    try writeFileAtomically(bytes, to: path)
}

private func encodePNG(
    _ samples: [UInt8], width: Int, height: Int, type: spng_color_type, palette: ArraySlice<Color>,
    software: String? = nil, file: String
) throws -> Data {
    guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else {
        throw DataError(.unwritable, file: file, problem: "no memory for encoding it")
    }
    // The library does not copy the text: it goes after the context.
    let comment = software.map { strdup($0) } ?? nil
    defer { free(comment) }
    defer { spng_ctx_free(context) }
    func check(_ status: Int32) throws {
        guard status != 0 else { return }
        throw DataError(
            .unwritable, file: file, problem: "cannot be encoded as PNG: \(String(cString: spng_strerror(status)))")
    }
    try check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1))
    var header = spng_ihdr()
    header.width = UInt32(width)
    header.height = UInt32(height)
    header.bit_depth = 8
    header.color_type = UInt8(type.rawValue)
    try check(spng_set_ihdr(context, &header))
    if !palette.isEmpty {
        var table = spng_plte()
        table.n_entries = UInt32(palette.count)
        withUnsafeMutableBytes(of: &table.entries) { raw in
            let entries = raw.assumingMemoryBound(to: spng_plte_entry.self)
            for (index, color) in palette.enumerated() {
                entries[index].red = color.red
                entries[index].green = color.green
                entries[index].blue = color.blue
            }
        }
        try check(spng_set_plte(context, &table))
    }
    if let comment {
        var text = spng_text()
        text.type = Int32(SPNG_TEXT.rawValue)
        text.length = strlen(comment)
        text.text = comment
        withUnsafeMutableBytes(of: &text.keyword) { $0.copyBytes(from: Array("Software".utf8)) }
        try check(spng_set_text(context, &text, 1))
    }
    try check(
        spng_encode_image(
            context, samples, samples.count, Int32(SPNG_FMT_PNG.rawValue), Int32(SPNG_ENCODE_FINALIZE.rawValue)))
    var length = 0
    var status: Int32 = 0
    guard let buffer = spng_get_png_buffer(context, &length, &status) else {
        throw DataError(
            .unwritable, file: file, problem: "cannot be encoded as PNG: \(String(cString: spng_strerror(status)))")
    }
    // The buffer is ours from here on.
    return Data(bytesNoCopy: buffer, count: length, deallocator: .free)
}
