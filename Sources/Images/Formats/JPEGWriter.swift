import CTurboJPEG
import Foundation

/// An image as JPEG with colours at full resolution: small enough for a page.
///
/// - Parameters:
///   - image: At most 65,535 pixels a side.
///   - quality: 1 to 100.
/// - Returns: The file's bytes.
/// - Throws: ``DataError`` where there is no memory for it, or the image is larger.
public func jpegData(_ image: Image, quality: Int = 88) throws -> Data {
    func fail(_ problem: String) -> DataError { DataError(file: "a JPEG picture", problem: problem) }
    guard let handle = tjInitCompress() else { throw fail("no memory for writing it") }
    defer { tjDestroy(handle) }
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = CUnsignedLong(0)
    defer { tjFree(bytes) }
    let status = tjCompress2(
        handle, image.pixels, Int32(image.width), 0, Int32(image.height), Int32(TJPF_RGB.rawValue), &bytes, &count,
        Int32(TJSAMP_444.rawValue), Int32(quality), TJFLAG_ACCURATEDCT)
    guard status == 0, let bytes else { throw fail(String(cString: tjGetErrorStr2(handle))) }
    return Data(bytes: bytes, count: Int(count))
}
