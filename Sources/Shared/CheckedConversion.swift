// One file, linked into the folder of every target: `make lint` sees to that. A declaration in a target hides the one of
// the standard library with the same signature, in that target alone and in all of its files, so that the compiler itself
// finds every conversion of a floating-point number that could trap.

extension FixedWidthInteger {
    /// The whole number towards zero, or the nearest that there is; NaN is 0.
    @inline(__always)
    init(clamping value: Double) {
        guard value > -0x1p50 && value < 0x1p50 else {
            self = Self(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : value < 0 ? .min : 0)
            return
        }
        // Pixels by the million come here: a number to which 1.5 times 2 to the 52nd is added has the nearest whole number
        // in its lowest bits, where `rounded` would be a call.
        let shifted = value + 0x1.8p52
        var whole = Int64(bitPattern: shifted.bitPattern &- (0x1.8p52 as Double).bitPattern)
        let nearest = shifted - 0x1.8p52
        if value < 0 { whole += nearest < value ? 1 : 0 } else { whole -= nearest > value ? 1 : 0 }
        self.init(clamping: whole)
    }

    /// The whole number towards zero, or the nearest that there is; NaN is 0.
    @inline(__always)
    init(clamping value: Float) { self.init(clamping: Double(value)) }
}

extension Int {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension Int8 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension Int16 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension Int32 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension Int64 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension UInt {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension UInt8 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension UInt16 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension UInt32 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}

extension UInt64 {
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Double) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init(_ value: Float) { self.init(clamping: value) }
    @available(*, deprecated, message: "traps where it does not fit: use init(clamping:) or init(exactly:)")
    init<Value: BinaryFloatingPoint>(_ value: Value) { self.init(clamping: Double(value)) }
}
