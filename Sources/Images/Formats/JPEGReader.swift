import CCodecs
import CTurboJPEG

/// Decodes a JPEG to RGB, upright according to its EXIF orientation.
///
/// `target` gives the size that is wanted of an image of the given size; the decoder itself halves as often as the
/// result stays at least as large, which spares most of the work.
func decodeJPEG(
    _ bytes: [UInt8], file: String, limits: ReadLimits, target: (_ width: Int, _ height: Int) -> (Int, Int)
) throws -> DecodedImage {
    guard let handle = tjInitDecompress() else {
        throw DataError(file: file, problem: "no memory for reading it")
    }
    defer { tjDestroy(handle) }
    func check(_ status: Int32) throws {
        guard status != 0 else { return }
        let reason = String(cString: tjGetErrorStr2(handle))
        throw DataError(file: file, problem: "cannot be decoded as JPEG: \(reason)")
    }
    var (width, height, subsampling, colorSpace) = (Int32(0), Int32(0), Int32(0), Int32(0))
    let count = CUnsignedLong(bytes.count)
    let headerStatus = tjDecompressHeader3(handle, bytes, count, &width, &height, &subsampling, &colorSpace)
    if !isWarning(headerStatus, handle) || width <= 0 { try check(headerStatus) }
    try checkSize(width: Int(width), height: Int(height), file: file, limits: limits)
    let (fullWidth, fullHeight) = (Int(width), Int(height))
    let wanted = target(fullWidth, fullHeight)
    // The decoder rounds up, as (length + n - 1) / n.
    func reduced(_ length: Int, _ factor: Int) -> Int { (length + factor - 1) / factor }
    let reduction =
        [8, 4, 2].first { reduced(fullWidth, $0) >= wanted.0 && reduced(fullHeight, $0) >= wanted.1 } ?? 1
    width = Int32(reduced(fullWidth, reduction))
    height = Int32(reduced(fullHeight, reduction))

    let isCMYK = colorSpace == Int32(TJCS_CMYK.rawValue) || colorSpace == Int32(TJCS_YCCK.rawValue)
    let format = isCMYK ? TJPF_CMYK : TJPF_RGB
    let size = Int(width) * Int(height) * (isCMYK ? 4 : 3)
    // Most warnings mean that part of the picture is made up. Scans are limited because a few bytes of each can cost
    // the time of a whole picture.
    let flags = TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT
    var warning: String?
    var pixels = try [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
        func decode(_ flags: Int32) -> Int32 {
            tjDecompress2(handle, bytes, count, buffer.baseAddress, width, 0, height, Int32(format.rawValue), flags)
        }
        var status = headerStatus == 0 ? decode(flags | TJFLAG_STOPONWARNING) : headerStatus
        if isWarning(status, handle) {
            warning = try harmlessWarning(bytes, file: file)
            status = decode(flags)
            if isWarning(status, handle) { status = 0 }
        }
        try check(status)
        initialized = size
    }
    let metadata = JPEGMetadata(bytes)
    if isCMYK { pixels = rgb(cmyk: pixels, inverted: metadata.hasAdobeMarker) }
    let image = Image(width: Int(width), height: Int(height), pixels: pixels)
    let isTurned = metadata.orientation >= 5
    var result = DecodedImage(
        image: image.oriented(metadata.orientation), fullWidth: isTurned ? fullHeight : fullWidth,
        fullHeight: isTurned ? fullWidth : fullHeight,
        channels: isCMYK ? 4 : colorSpace == Int32(TJCS_GRAY.rawValue) ? 1 : 3)
    if let warning { result.notes = [.warning(warning)] }
    return result
}

/// Whether a call of the decoder did its work, but with a complaint.
private func isWarning(_ status: Int32, _ handle: tjhandle) -> Bool {
    status != 0 && tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue)
}

/// What is wrong with a file that holds all of its pixels all the same: stray bytes, for the most part.
///
/// The fast decoder tells the first of its warnings alone, so another one looks whether any of them costs pixels.
private func harmlessWarning(_ bytes: [UInt8], file: String) throws -> String {
    var text = [CChar](repeating: 0, count: 256)
    let isWhole = cjpeg_is_whole(bytes, bytes.count, &text, text.count) == 1
    let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard isWhole else { throw DataError(file: file, problem: "cannot be decoded as JPEG: \(reason)") }
    return reason
}

/// A JPEG's size as displayed, from its first bytes; nil where these do not reach far enough.
func jpegSize(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
    guard let handle = tjInitDecompress() else { return nil }
    defer { tjDestroy(handle) }
    var (width, height, subsampling, colorSpace) = (Int32(0), Int32(0), Int32(0), Int32(0))
    let count = CUnsignedLong(bytes.count)
    let status = tjDecompressHeader3(handle, bytes, count, &width, &height, &subsampling, &colorSpace)
    guard status == 0 || isWarning(status, handle) && width > 0 && height > 0 else { return nil }
    let isTurned = JPEGMetadata(bytes).orientation >= 5
    return isTurned ? (Int(height), Int(width)) : (Int(width), Int(height))
}

/// Converts ink to light without a colour profile; Adobe's files hold the inks inverted.
private func rgb(cmyk: [UInt8], inverted: Bool) -> [UInt8] {
    let flip: UInt8 = inverted ? 0 : 255
    return [UInt8](unsafeUninitializedCapacity: cmyk.count / 4 * 3) { buffer, count in
        count = cmyk.count / 4 * 3
        for pixel in 0..<cmyk.count / 4 {
            let key = Int(cmyk[pixel * 4 + 3] ^ flip)
            for channel in 0..<3 {
                buffer[pixel * 3 + channel] = UInt8((Int(cmyk[pixel * 4 + channel] ^ flip) * key + 127) / 255)
            }
        }
    }
}
