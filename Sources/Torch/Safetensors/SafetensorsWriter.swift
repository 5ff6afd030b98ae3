import JSON

/// Writes a safetensors file tensor by tensor, so that nothing has to be in memory twice.
///
/// The layout is the reference implementation's: types by falling size, then names, the header padded to 8 bytes, so
/// equal contents give equal files. The file appears whole or not at all (``AtomicFile``).
///
///     let writer = try SafetensorsWriter(tensors: [.init(name: "weight", dtype: .float32, shape: [2, 3])])
///     try writer.write(to: "model.safetensors") { tensor, append in
///         try values[tensor.name]?.withUnsafeBytes { try append($0) }
///     }
public struct SafetensorsWriter: Sendable {
    /// A tensor to be written.
    public struct Entry: Hashable, Sendable {
        /// The tensor's name.
        public var name: String
        /// Its element type.
        public var dtype: SafetensorsDType
        /// Its extents, outermost first; none for a scalar.
        public var shape: [Int]

        /// A tensor of that name, type and shape.
        public init(name: String, dtype: SafetensorsDType, shape: [Int]) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
        }
    }

    /// Takes the next bytes of a tensor.
    public typealias Append = (UnsafeRawBufferPointer) throws -> Void

    /// What the file will hold, in the order in which the tensors' bytes are asked for.
    public let header: SafetensorsHeader
    private let carriesDigest: Bool

    /// Lays out a file.
    ///
    /// - Parameters:
    ///   - tensors: The tensors, in any order.
    ///   - metadata: Free text by key.
    ///   - file: The file's name for messages.
    ///   - carriesDigest: Whether the metadata get a digest of the file, under the key `xxh64`.
    /// - Throws: ``SafetensorsError`` for a name that is taken or a shape that can't be.
    public init(
        tensors: [Entry], metadata: [String: String] = [:], file: String = "safetensors", carriesDigest: Bool = false
    ) throws {
        var names: Set<String> = [SafetensorsHeader.metadataKey]
        var entries: [SafetensorsHeader.Entry] = []
        var end = 0
        for tensor in tensors.sorted(by: SafetensorsWriter.precedes) {
            guard names.insert(tensor.name).inserted else {
                throw SafetensorsError(file: file, tensor: tensor.name, reason: "the name is taken")
            }
            guard let size = SafetensorsHeader.byteCount(dtype: tensor.dtype, shape: tensor.shape),
                case let (next, overflow) = end.addingReportingOverflow(size), !overflow,
                tensor.shape.count <= SafetensorsHeader.maximumRank
            else {
                throw SafetensorsError(
                    file: file, tensor: tensor.name, reason: "shape \(tensor.shape) cannot be written")
            }
            entries.append(.init(name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, range: end..<next))
            end = next
        }
        self.carriesDigest = carriesDigest
        let digest = carriesDigest ? [SafetensorsDigest.key: SafetensorsDigest.blank] : [:]
        header = SafetensorsHeader(entries: entries, metadata: metadata.merging(digest) { $1 })
    }

    /// Writes the file.
    ///
    /// - Parameters:
    ///   - path: The file, which is replaced if it exists.
    ///   - root: A folder above, below which nothing is reached by way of a link; nil for a path that a user named.
    ///   - bytes: Called once a tensor, in the order of ``header``; hands all of the tensor's bytes (little endian,
    ///     row-major), at once or in parts, to its second argument.
    /// - Throws: ``FileError`` if the file can't be written, ``SafetensorsError`` if a tensor is given other than its
    ///   number of bytes, and what `bytes` throws. The file is then as it was before.
    public func write(
        to path: String, below root: String? = nil, bytes: (SafetensorsHeader.Entry, Append) throws -> Void
    ) throws {
        let json = header.json()
        guard json.count <= SafetensorsHeader.defaultLimit else {
            let reason = "the header would have \(json.count) bytes, more than readers accept"
            throw SafetensorsError(file: path, reason: reason)
        }
        let file = try AtomicFile(path: path, below: root)
        try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try file.write($0) }
        try json.withUnsafeBytes { try file.write($0) }
        var digest = carriesDigest ? SafetensorsDigest.begin(json) : nil
        for entry in header.entries {
            var rest = entry.range.count
            try bytes(entry) { part in
                rest -= part.count
                guard rest >= 0 else { return }
                try file.write(part)
                digest?.update(part)
            }
            guard rest == 0 else {
                let reason = "\(entry.range.count - rest) bytes were given, it has \(entry.range.count)"
                throw SafetensorsError(file: path, tensor: entry.name, reason: reason)
            }
        }
        // The digest is known last and stands first: its place was kept free.
        if let digest, let place = SafetensorsDigest.place(in: json) {
            try Array(digest.text.utf8).withUnsafeBytes { try file.write($0, at: 8 + place.lowerBound) }
        }
        try file.commit()
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        if left.dtype != right.dtype { return left.dtype.rank < right.dtype.rank }
        // By bytes, as other languages sort; Swift's own order of strings is by normalised characters.
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

extension SafetensorsHeader {
    /// The header as it stands in a file, padded with spaces so that the data begins at a multiple of 8.
    public func json() -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"\(SafetensorsHeader.metadataKey)\":{\(texts.joined(separator: ","))}")
        }
        for entry in entries {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let offsets = "\(entry.range.lowerBound),\(entry.range.upperBound)"
            let body = "\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offsets)]"
            members.append("\(quoted(entry.name)):{\(body)}")
        }
        var bytes = Array("{\(members.joined(separator: ","))}".utf8)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - bytes.count % 8) % 8))
        return bytes
    }

    /// As the reference implementation writes it.
    private func quoted(_ text: String) -> String { jsonText(text, isPrintable: false) }
}
