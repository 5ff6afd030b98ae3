import CTorch

/// An array of numbers on a device, with its place in the graph of gradients.
///
/// A tensor is a reference: two names may mean the same numbers. It is not Sendable; threads exchange plain values.
public final class Tensor {
    package let handle: ct_tensor

    package init(owning handle: ct_tensor) {
        self.handle = handle
    }

    deinit {
        ct_free(handle)
    }

    /// Calls an operation of the engine and takes the tensor that it gives.
    package static func make(
        _ operation: String, _ operands: Tensor..., body: (UnsafeMutablePointer<ct_optional_tensor?>) -> Int32
    ) -> Tensor {
        var out: ct_optional_tensor?
        let status = body(&out)
        Engine.run(operation, status, operands.map(\.summary).joined(separator: ", "))
        guard let out else { preconditionFailure("\(operation): the engine gave nothing") }
        return Tensor(owning: out)
    }

    // MARK: Making

    /// Makes a tensor of 32-bit floats from values in row-major order.
    public convenience init(_ values: [Float], shape: [Int], device: Device = .cpu) {
        self.init(copying: values, shape: shape, dtype: .float32, device: device)
    }

    /// Makes a tensor of 64-bit floats from values in row-major order.
    public convenience init(_ values: [Double], shape: [Int], device: Device = .cpu) {
        self.init(copying: values, shape: shape, dtype: .float64, device: device)
    }

    /// Makes a tensor of 64-bit integers from values in row-major order.
    public convenience init(_ values: [Int64], shape: [Int], device: Device = .cpu) {
        self.init(copying: values, shape: shape, dtype: .int64, device: device)
    }

    /// Makes a tensor of bytes from values in row-major order.
    public convenience init(_ values: [UInt8], shape: [Int], device: Device = .cpu) {
        self.init(copying: values, shape: shape, dtype: .uint8, device: device)
    }

    private convenience init<Element>(copying values: [Element], shape: [Int], dtype: DType, device: Device) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
        self.init(owning: values.withUnsafeBytes { Tensor.read($0, shape: shape, dtype: dtype, device: device) })
    }

    /// Makes a tensor from raw bytes in row-major order.
    public convenience init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, device: Device = .cpu) {
        precondition(bytes.count == shape.reduce(1, *) * dtype.byteCount, "\(bytes.count) bytes for shape \(shape)")
        self.init(owning: Tensor.read(bytes, shape: shape, dtype: dtype, device: device))
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, device: Device
    ) -> ct_tensor {
        var out: ct_optional_tensor?
        var nothing: UInt8 = 0
        let status = withUnsafeMutablePointer(to: &nothing) { empty in
            ct_from_data(
                bytes.baseAddress ?? UnsafeRawPointer(empty), shape.wide, Int64(shape.count), dtype.code,
                device.kind.code, Int32(device.index), &out)
        }
        Engine.run("tensor", status)
        guard let out else { preconditionFailure("tensor: the engine gave nothing") }
        return out
    }

    /// A tensor filled with one value.
    public static func full(
        _ value: Double, _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        make("full") {
            ct_full(
                value, shape.wide, Int64(shape.count), dtype.code, device.kind.code, Int32(device.index), $0)
        }
    }

    /// A tensor of zeros.
    public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
        full(0, shape, dtype: dtype, device: device)
    }

    /// A tensor of ones.
    public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
        full(1, shape, dtype: dtype, device: device)
    }

    // MARK: Reading

    /// Sizes, for images `[N, C, H, W]`.
    public var shape: [Int] { (0..<ct_dim(handle)).map { Int(ct_size(handle, $0)) } }

    /// Number of dimensions.
    public var rank: Int { Int(ct_dim(handle)) }

    /// Size in one dimension.
    public func size(_ dim: Int) -> Int {
        precondition((0..<rank).contains(dim), "size(\(dim)) of a tensor of rank \(rank)")
        return Int(ct_size(handle, Int64(dim)))
    }

    /// Number of elements.
    public var count: Int { Int(ct_numel(handle)) }

    /// Kind of the elements.
    public var dtype: DType { DType(code: ct_dtype(handle)) }

    /// Where it lives.
    public var device: Device {
        var index: Int32 = 0
        let code = ct_device(handle, &index)
        return Device(Device.Kind.allCases.first { $0.code == code } ?? .cpu, index: Int(index))
    }

    /// Whether its memory runs over channels fastest, the layout in which convolutions are quickest.
    public var isChannelsLast: Bool { ct_is_channels_last(handle) }

    /// Shape and kind, for messages.
    public var summary: String { "\(shape) \(dtype.rawValue)" }

    /// The only element.
    public func item() -> Double {
        var value = 0.0
        Engine.run("item", ct_item(handle, &value), summary)
        return value
    }

    /// The elements in row-major order, converted.
    public func floats() -> [Float] { values(.float32, zero: 0) }

    /// The elements in row-major order, converted.
    public func doubles() -> [Double] { values(.float64, zero: 0) }

    /// The elements in row-major order, converted.
    public func int64s() -> [Int64] { values(.int64, zero: 0) }

    /// The elements in row-major order, converted to bytes.
    public func bytes() -> [UInt8] { values(.uint8, zero: 0) }

    private func values<Element>(_ dtype: DType, zero: Element) -> [Element] {
        let count = count
        return [Element](unsafeUninitializedCapacity: count) { buffer, used in
            used = count
            guard count > 0 else { return }
            copyOut(dtype, to: UnsafeMutableRawBufferPointer(buffer), bytes: count * dtype.byteCount)
        }
    }

    /// Writes the elements in row-major order into memory of just their size.
    public func copyBytes(to buffer: UnsafeMutableRawBufferPointer) {
        guard count > 0 else { return }
        copyOut(dtype, to: buffer, bytes: buffer.count)
    }

    private func copyOut(_ dtype: DType, to buffer: UnsafeMutableRawBufferPointer, bytes: Int) {
        guard let start = buffer.baseAddress else { preconditionFailure("copy of \(summary) into no memory") }
        Engine.run("copy", ct_copy_to_buffer(handle, dtype.code, start, Int64(bytes)), summary)
    }

    /// Overwrites the elements with raw bytes in row-major order; gradients do not see it.
    public func write(bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        Engine.run("write", ct_copy_from_buffer(handle, start, Int64(bytes.count)), summary)
    }

    // MARK: Moving

    /// The same numbers as another kind.
    public func to(_ dtype: DType) -> Tensor { Tensor.make("to", self) { ct_to_dtype(handle, dtype.code, $0) } }

    /// The same numbers on another device.
    public func to(_ device: Device) -> Tensor {
        Tensor.make("to", self) { ct_to_device(handle, device.kind.code, Int32(device.index), $0) }
    }

    /// The same numbers in row-major memory.
    public func contiguous() -> Tensor { Tensor.make("contiguous", self) { ct_contiguous(handle, $0) } }

    /// The same numbers `[N, C, H, W]` in memory that runs over channels fastest.
    public func channelsLast() -> Tensor { Tensor.make("channelsLast", self) { ct_channels_last(handle, $0) } }

    /// A copy with memory of its own.
    public func clone() -> Tensor { Tensor.make("clone", self) { ct_clone(handle, $0) } }
}

extension [Int] {
    var wide: [Int64] { map(Int64.init) }
}

/// Lends the handles of several tensors for the length of a call.
package func withHandles<Result>(_ tensors: [Tensor], _ body: ([ct_optional_tensor?]) -> Result) -> Result {
    withExtendedLifetime(tensors) { body(tensors.map { $0.handle }) }
}
