/// A kernel `[O, I, K, K]` as signed bytes q of each output's own scale s: w = s q.
package struct ByteKernel {
    /// The bytes, in the kernel's order.
    package let values: [Int8]
    /// A scale for each output.
    package let scales: [Float]

    /// Rounds a kernel.
    package init(_ weight: Tensor) {
        let all = weight.doubles()
        let each = all.count / max(1, weight.size(0))
        let scales = (0..<weight.size(0)).map { output in
            let largest = all[output * each..<(output + 1) * each].reduce(0) { max($0, abs($1)) }
            return Float(largest) > 0 && (Float(largest) / 127).isNormal ? Float(largest) / 127 : 1
        }
        values = all.enumerated().map { index, value in
            Int8(clamping: max(-127, min(127, Int(clamping: (value / Double(scales[index / each])).rounded()))))
        }
        self.scales = scales
    }
}
