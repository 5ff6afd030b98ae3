import Foundation

extension Tensor: CustomStringConvertible {
    /// Shape, kind and values, as PyTorch prints them: of large tensors the first and last three of each dimension.
    ///
    ///     tensor([[0.0000, 0.5000],
    ///             [1.0000, 1.5000]], shape: [2, 2], float32)
    public var description: String {
        let details = "shape: \(shape), \(dtype.rawValue)" + (device.kind == .cpu ? "" : ", \(device)")
        guard count > 0 else { return "tensor([], \(details))" }
        guard let excerpt else { return "tensor(..., \(details))" }
        let texts = numberTexts(of: excerpt.values)
        let width = texts.map(\.count).max() ?? 0
        let padded = texts.map { String(repeating: " ", count: width - $0.count) + $0 }
        return "tensor(\(bracketed(padded[...], excerpt.places[...], indent: 8)), \(details))"
    }

    /// The most elements that are shown whole.
    private static let shownWhole = 1_000

    /// What is shown of a tensor: in each dimension the places, and the values there, in row-major order.
    ///
    /// Only these are copied from the device; nil where the dimensions are too many.
    private var excerpt: (places: [[Int?]], values: [Double])? {
        if count <= Tensor.shownWhole { return (shape.map { Array(0..<$0) }, detachedDoubles) }
        // So many from either end that a few hundred are left over all.
        let edge = rank <= 4 ? 3 : 1
        guard rank <= 9 else { return nil }
        var places: [[Int?]] = []
        var part = self
        for (dim, size) in shape.enumerated() {
            if size <= 2 * edge {
                places.append(Array(0..<size))
                continue
            }
            let ends = Array(0..<edge) + Array(size - edge..<size)
            part = withoutGradients { part.indexSelect(dim, ends) }
            places.append(Array(0..<edge) + [nil] + Array(size - edge..<size))
        }
        return (places, part.detachedDoubles)
    }

    private var detachedDoubles: [Double] { withoutGradients { contiguous().doubles() } }

    private func numberTexts(of values: [Double]) -> [String] {
        switch dtype {
        case .bool: return values.map { $0 == 0 ? "false" : "true" }
        case .uint8, .int32, .int64: return values.map { String(format: "%.0f", $0) }
        case .float16, .bfloat16, .float32, .float64:
            let sizes = values.filter { $0.isFinite && $0 != 0 }.map(\.magnitude)
            let (least, most) = (sizes.min() ?? 1, sizes.max() ?? 1)
            // PyTorch's rule for the exponential form.
            let isWide = most / least > 1_000 || most >= 1e8 || least < 1e-4
            return values.map { value in
                if value.isNaN { return "nan" }
                if value.isInfinite { return value < 0 ? "-inf" : "inf" }
                return String(format: isWide ? "%.4e" : "%.4f", value)
            }
        }
    }

    /// Texts in nested brackets, with an ellipsis where places are left out.
    private func bracketed(_ texts: ArraySlice<String>, _ places: ArraySlice<[Int?]>, indent: Int) -> String {
        guard let first = places.first else { return texts.first ?? "" }
        let shown = first.count { $0 != nil }
        let length = shown == 0 ? 0 : texts.count / shown
        var start = texts.startIndex
        let isLast = places.count == 1
        let items = first.map { place -> String in
            guard place != nil else { return "..." }
            defer { start += length }
            return bracketed(texts[start..<start + length], places.dropFirst(), indent: indent + 1)
        }
        let separator =
            isLast
            ? ", "
            : "," + String(repeating: "\n", count: places.count - 1) + String(repeating: " ", count: indent)
        return "[" + items.joined(separator: separator) + "]"
    }
}
