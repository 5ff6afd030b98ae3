import CXXHash

/// The 64-bit xxHash, with seed 0, of bytes that come in parts (libxxhash).
///
/// It tells damage, not deceit: whoever changes a file on purpose can also change what it says about itself.
public struct XXHash64: Sendable {
    // Changed only while one hash alone refers to it, so that copies, also in other threads, stay as they are.
    private final class State: @unchecked Sendable {
        let pointer: OpaquePointer

        init(copying other: State? = nil) {
            guard let pointer = XXH64_createState() else { preconditionFailure("xxHash: out of memory") }
            self.pointer = pointer
            if let other { XXH64_copyState(pointer, other.pointer) } else { XXH64_reset(pointer, 0) }
        }

        deinit { XXH64_freeState(pointer) }
    }

    private var state = State()

    /// The hash of no bytes.
    public init() {}

    /// Takes the next bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        if !isKnownUniquelyReferenced(&state) { state = State(copying: state) }
        XXH64_update(state.pointer, start, bytes.count)
    }

    /// Takes the next bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The hash of all bytes so far.
    public var value: UInt64 { XXH64_digest(state.pointer) }

    /// The hash as 16 hexadecimal digits.
    public var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
