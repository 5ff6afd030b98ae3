import Testing

/// The conversion that every target has by a link to the same file; here is one more.
@Suite("Checked conversions")
struct CheckedConversionTests {
    @Test("Towards zero, and to the nearest there is")
    func clamping() {
        let cases: [(value: Double, whole: Int, byte: UInt8)] = [
            (0, 0, 0), (-0.0, 0, 0), (0.999, 0, 0), (-0.999, 0, 0), (2.5, 2, 2), (-2.5, -2, 0), (254.99, 254, 254),
            (255.5, 255, 255), (256, 256, 255), (0x1p-1074, 0, 0),
            (1_125_899_906_842_623.75, 1_125_899_906_842_623, 255),
            (-1_125_899_906_842_623.75, -1_125_899_906_842_623, 0), (0x1p50, 1 << 50, 255), (0x1p62, 1 << 62, 255),
            (0x1p63, .max, 255), (-0x1p63, .min, 0), (1e300, .max, 255), (-1e300, .min, 0), (.infinity, .max, 255),
            (-.infinity, .min, 0), (.nan, 0, 0),
        ]
        for (value, whole, byte) in cases {
            #expect(Int(clamping: value) == whole, "\(value)")
            #expect(UInt8(clamping: value) == byte, "\(value)")
        }
        #expect(
            Int(clamping: Float.nan) == 0 && UInt8(clamping: Float(1e30)) == 255 && Int(clamping: Float(-7.9)) == -7)
    }

    @Test("As the standard library does, where that does not trap")
    func agreement() {
        for step in -40_000...40_000 {
            let value = Double(step) * 0.0625 + Double(step % 7) * 0x1p40
            #expect(Int(clamping: value) == Int(exactly: value.rounded(.towardZero)), "\(value)")
        }
    }
}
