import CWebP

/// A WebP: owns libwebp's demultiplexer; the bytes must outlive it.
///
/// Of an animation the first picture is decoded.
private final class WebPReader {
    let width: Int
    let height: Int
    let isAnimated: Bool
    let isLossless: Bool
    let hasAlpha: Bool
    private let file: String
    private let demuxer: OpaquePointer
    private var frame = WebPIterator()

    init(_ buffer: UnsafeRawBufferPointer, file: String, limits: ReadLimits) throws {
        var data = WebPData(bytes: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), size: buffer.count)
        guard let demuxer = WebPDemux(&data) else { throw fault(file) }
        width = Int(WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH))
        height = Int(WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT))
        isAnimated = WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT) > 1
        var features = WebPBitstreamFeatures()
        do {
            try checkSize(width: width, height: height, file: file, limits: limits)
            guard WebPDemuxGetFrame(demuxer, 1, &frame) == 1, frame.complete == 1,
                WebPGetFeatures(frame.fragment.bytes, frame.fragment.size, &features) == VP8_STATUS_OK,
                features.width == frame.width, features.height == frame.height, frame.x_offset >= 0,
                frame.y_offset >= 0, Int(frame.x_offset) + Int(frame.width) <= width,
                Int(frame.y_offset) + Int(frame.height) <= height
            else { throw fault(file) }
        } catch {
            WebPDemuxReleaseIterator(&frame)
            WebPDemuxDelete(demuxer)
            throw error
        }
        isLossless = features.format == 2
        hasAlpha = features.has_alpha != 0
        self.demuxer = demuxer
        self.file = file
    }

    deinit {
        WebPDemuxReleaseIterator(&frame)
        WebPDemuxDelete(demuxer)
    }

    /// Red, green and blue of the canvas, black where the picture does not reach.
    func decode() throws -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        let start = (Int(frame.y_offset) * width + Int(frame.x_offset)) * 3
        try pixels.withUnsafeMutableBufferPointer { pixels in
            guard let base = pixels.baseAddress,
                WebPDecodeRGBInto(
                    frame.fragment.bytes, frame.fragment.size, base + start, pixels.count - start, Int32(width * 3))
                    != nil
            else { throw fault(file) }
        }
        return pixels
    }

    /// EXIF's orientation; 1 where there is none.
    var orientation: Int {
        var chunk = WebPChunkIterator()
        defer { WebPDemuxReleaseChunkIterator(&chunk) }
        guard WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) == 1 else { return 1 }
        let bytes = [UInt8](UnsafeBufferPointer(start: chunk.chunk.bytes, count: chunk.chunk.size))
        return exifOrientation(tiff: bytes.starts(with: "Exif\0\0".utf8) ? Array(bytes.dropFirst(6)) : bytes) ?? 1
    }
}

private func fault(_ file: String) -> DataError {
    DataError(file: file, problem: "cannot be decoded as WebP: it is damaged or cut off")
}

/// Decodes a WebP to RGB, upright according to its EXIF orientation.
func decodeWebPImage(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> DecodedImage {
    try bytes.withUnsafeBytes { buffer in
        let reader = try WebPReader(buffer, file: file, limits: limits)
        let image = Image(width: reader.width, height: reader.height, pixels: try reader.decode())
            .oriented(reader.orientation)
        var result = DecodedImage(
            image: image, fullWidth: image.width, fullHeight: image.height, channels: reader.hasAlpha ? 4 : 3)
        if reader.isAnimated { result.notes = [.frames] }
        return result
    }
}

/// Decodes a WebP without loss to the colours of a mask.
func decodeWebPMask(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> RawMask {
    try bytes.withUnsafeBytes { buffer in
        let reader = try WebPReader(buffer, file: file, limits: limits)
        guard reader.isLossless else {
            throw DataError(
                file: file,
                problem: "is a WebP compressed with loss, which alters label values: save masks as lossless WebP or PNG"
            )
        }
        return RawMask(
            width: reader.width, height: reader.height, values: .colors(try reader.decode()), holdsWholeGreys: true)
    }
}

/// A WebP's size as displayed; the whole file is needed, for its orientation lies behind the pixels.
func webPSize(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> (width: Int, height: Int) {
    try bytes.withUnsafeBytes { buffer in
        let reader = try WebPReader(buffer, file: file, limits: limits)
        return reader.orientation >= 5 ? (reader.height, reader.width) : (reader.width, reader.height)
    }
}
