/// The element types of safetensors files that this library reads and writes, by the names they have there.
///
/// The cases stand in the order of the reference implementation, which lays out tensors by it: the larger come first, so
/// that every tensor begins at a multiple of its element size.
public enum SafetensorsDType: String, CaseIterable, Hashable, Sendable {
    /// 64-bit integer.
    case int64 = "I64"
    /// 64-bit floating point.
    case float64 = "F64"
    /// 32-bit floating point.
    case float32 = "F32"
    /// 32-bit integer.
    case int32 = "I32"
    /// 16-bit floating point with float32's range.
    case bfloat16 = "BF16"
    /// 16-bit floating point.
    case float16 = "F16"
    /// 16-bit integer.
    case int16 = "I16"
    /// 8-bit integer.
    case int8 = "I8"
    /// Byte.
    case uint8 = "U8"
    /// Truth value, one byte that is 0 or 1.
    case bool = "BOOL"

    /// Bytes an element.
    public var size: Int {
        switch self {
        case .int64, .float64: 8
        case .float32, .int32: 4
        case .bfloat16, .float16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// Place in the order of layout.
    var rank: Int { SafetensorsDType.allCases.firstIndex(of: self) ?? 0 }
}
