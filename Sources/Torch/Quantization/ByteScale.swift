import CTorch

/// Real numbers x as bytes q: x = scale (q - zero).
package struct ByteScale: Hashable, Sendable {
    /// What one step of the bytes stands for.
    package let scale: Float
    /// The byte that stands for 0.
    package let zero: UInt8

    /// The scale that covers a range, and 0 exactly, as padding wants it.
    package init(covering range: ClosedRange<Float>) {
        let (least, largest) = (min(0, range.lowerBound), max(0, range.upperBound))
        let width = largest - least
        scale = width > 0 && (width / 255).isNormal ? width / 255 : 1
        zero = UInt8(clamping: Int(clamping: (-least / scale).rounded()))
    }

    var forEngine: ct_byte_scale { ct_byte_scale(scale: Double(scale), zero: Int64(zero)) }
}

extension Tensor {
    /// The nearest bytes of 32-bit floats `[N, C, H, W]`; those beyond the scale become its ends.
    package func bytes(_ scale: ByteScale) -> Tensor {
        Tensor.make("bytes", self) { ct_to_bytes(handle, scale.forEngine, $0) }
    }

    /// The 32-bit floats that bytes `[N, C, H, W]` stand for.
    package func reals(_ scale: ByteScale) -> Tensor {
        Tensor.make("reals", self) { ct_from_bytes(handle, scale.forEngine, $0) }
    }
}

/// The sum of two maps of bytes of one shape, each of its own scale, as bytes of a third one.
package func addBytes(
    _ a: Tensor, _ aScale: ByteScale, _ b: Tensor, _ bScale: ByteScale, as scale: ByteScale
) -> Tensor {
    Tensor.make("addBytes", a, b) {
        ct_add_bytes(a.handle, aScale.forEngine, b.handle, bScale.forEngine, scale.forEngine, $0)
    }
}
