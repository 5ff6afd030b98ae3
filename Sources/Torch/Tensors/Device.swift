import CTorch

/// Where a tensor lives and is computed.
public struct Device: Hashable, Sendable, CustomStringConvertible {
    /// Kind of processor.
    public enum Kind: String, CaseIterable, Sendable {
        case cpu, cuda, mps

        var code: Int32 {
            switch self {
            case .cpu: Int32(CT_CPU)
            case .cuda: Int32(CT_CUDA)
            case .mps: Int32(CT_MPS)
            }
        }
    }

    /// Kind of processor.
    public let kind: Kind
    /// Number among those of its kind.
    public let index: Int

    /// Names a device; whether it exists is told by ``isAvailable``.
    public init(_ kind: Kind, index: Int = 0) {
        self.kind = kind
        self.index = index
    }

    /// The host's processor.
    public static let cpu = Device(.cpu)

    /// Why there is no NVIDIA GPU to compute on; nil where there is one.
    public static var cudaUnavailableReason: String? {
        let text = Engine.text { ct_cuda_unavailable_reason($0, $1) } ?? "unknown"
        return text.isEmpty ? nil : text
    }

    /// Number of devices of a kind that the engine can use here.
    public static func count(of kind: Kind) -> Int {
        switch kind {
        case .cpu: return 1
        #if !canImport(Darwin)
            case .mps: return 0
        #endif
        default:
            Engine.need()
            return Int(ct_device_count(kind.code))
        }
    }

    /// Whether the engine can use this device here.
    public var isAvailable: Bool { index < Device.count(of: kind) }

    /// The fastest device that this machine has: CUDA, else MPS, else the processor.
    public static var best: Device {
        [Kind.cuda, .mps].first { Device.count(of: $0) > 0 }.map { Device($0) } ?? .cpu
    }

    /// The device's name as the engine writes it, for example `cuda:0`.
    public var description: String { kind == .cuda ? "cuda:\(index)" : kind.rawValue }

    /// Reads `auto`, `cpu`, `cuda`, `cuda:1` or `mps`, and makes sure that the device is there.
    ///
    /// - Throws: ``TorchError`` for an unknown name or an absent device.
    public static func named(_ name: String) throws -> Device {
        if name == "auto" { return best }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard let kind = parts.first.flatMap({ Kind(rawValue: String($0)) }), parts.count <= 2,
            let index = parts.count == 2 ? Int(parts[1]) : 0, index >= 0
        else { throw TorchError("device '\(name)': unknown; use auto, cpu, cuda, cuda:N or mps") }
        let device = Device(kind, index: index)
        guard device.isAvailable else {
            let reason = (kind == .cuda ? cudaUnavailableReason : nil) ?? "\(Device.count(of: kind)) found"
            throw TorchError("device '\(name)': not available here (\(reason)); take auto or cpu")
        }
        return device
    }
}
