import CTorch

/// Kind of a tensor's elements.
public enum DType: String, CaseIterable, Sendable {
    case uint8, int32, int64, float16, float32, float64, bool, bfloat16

    var code: Int32 {
        switch self {
        case .uint8: Int32(CT_UINT8)
        case .int32: Int32(CT_INT32)
        case .int64: Int32(CT_INT64)
        case .float16: Int32(CT_FLOAT16)
        case .float32: Int32(CT_FLOAT32)
        case .float64: Int32(CT_FLOAT64)
        case .bool: Int32(CT_BOOL)
        case .bfloat16: Int32(CT_BFLOAT16)
        }
    }

    init(code: Int32) {
        guard let match = DType.allCases.first(where: { $0.code == code }) else {
            preconditionFailure("the engine gave a tensor of kind \(code), which is not used here")
        }
        self = match
    }

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .uint8, .bool: 1
        case .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }
}
