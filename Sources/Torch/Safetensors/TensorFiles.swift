/// Writes tensors with free text to a safetensors file, which appears whole or not at all.
///
/// One tensor at a time is copied to the host, so saving takes little more memory than the largest one.
///
/// - Parameters:
///   - tensors: The tensors by name, on any device.
///   - metadata: Free text by key.
///   - path: The file, which is replaced if it exists.
///   - root: A folder above, below which nothing is reached by way of a link; nil for a path that a user named.
///   - carriesDigest: Whether the metadata get a digest, under the key `xxh64`, by which damage is noticed.
/// - Throws: ``SafetensorsError`` or ``FileError`` if it can't be written; the file is then as it was before.
public func saveTensors(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to path: String, below root: String? = nil,
    carriesDigest: Bool = false
) throws {
    let entries = tensors.map { name, tensor in
        SafetensorsWriter.Entry(name: name, dtype: SafetensorsDType(tensor.dtype), shape: tensor.shape)
    }
    let writer = try SafetensorsWriter(tensors: entries, metadata: metadata, file: path, carriesDigest: carriesDigest)
    try writer.write(to: path, below: root) { entry, append in
        guard let tensor = tensors[entry.name] else { return }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: entry.range.count, alignment: 16)
        defer { bytes.deallocate() }
        tensor.copyBytes(to: bytes)
        try append(UnsafeRawBufferPointer(bytes))
    }
}

/// Reads all tensors of a safetensors file to the host.
///
/// One tensor at a time is in memory twice.
///
/// - Parameters:
///   - path: The file.
///   - requiresDigest: Whether a file without a digest is refused. One that is there is always checked.
/// - Returns: The tensors by name, and the free text by key.
/// - Throws: ``SafetensorsError`` if the file can't be read, is malformed, damaged, or holds elements that tensors
///   can't have.
public func loadTensors(
    _ path: String, requiresDigest: Bool = false
) throws -> (tensors: [String: Tensor], metadata: [String: String]) {
    let file = try SafetensorsFile(path: path)
    var digest = file.digest
    guard digest != nil || !requiresDigest else {
        throw SafetensorsError(file: path, reason: "carries no digest, so that nobody knows whether it is whole")
    }
    var tensors: [String: Tensor] = [:]
    for entry in file.header.entries {
        guard let dtype = entry.dtype.tensorDType else {
            let reason = "holds elements of \(entry.dtype.rawValue), which are not used here"
            throw SafetensorsError(file: path, tensor: entry.name, reason: reason)
        }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: entry.range.count, alignment: 16)
        defer { bytes.deallocate() }
        try file.read(entry.name, into: bytes)
        digest?.update(UnsafeRawBufferPointer(bytes))
        tensors[entry.name] = Tensor(bytes: UnsafeRawBufferPointer(bytes), shape: entry.shape, dtype: dtype)
    }
    if let digest, digest.text != file.header.metadata[SafetensorsDigest.key] {
        throw SafetensorsError(file: path, reason: "is damaged: its bytes do not match the digest that it carries")
    }
    return (tensors, file.header.metadata)
}

extension SafetensorsDType {
    /// The file's name of a tensor's elements.
    init(_ dtype: DType) {
        self =
            switch dtype {
            case .uint8: .uint8
            case .int32: .int32
            case .int64: .int64
            case .float16: .float16
            case .float32: .float32
            case .float64: .float64
            case .bool: .bool
            case .bfloat16: .bfloat16
            }
    }

    /// The elements of a tensor that is read, or nil where tensors have none of that kind.
    var tensorDType: DType? { DType.allCases.first { SafetensorsDType($0) == self } }
}
