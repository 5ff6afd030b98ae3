import Foundation

/// A safetensors file that is open for reading.
///
/// Only the header is in memory; each tensor's bytes go straight into the buffer that the caller gives. Reading may go on
/// on several threads at once.
public final class SafetensorsFile: Sendable {
    /// The file, as the caller named it.
    public let path: String
    /// What the file holds.
    public let header: SafetensorsHeader

    /// The hash of the header, where the file carries a digest.
    let digest: XXHash64?

    private let entries: [String: SafetensorsHeader.Entry]
    private let dataStart: Int
    private let descriptor: Descriptor

    /// Opens a file and checks its header, all of it, against the file's size.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - headerLimit: The longest header to accept, in bytes.
    /// - Throws: ``SafetensorsError`` if it can't be opened or is malformed.
    public init(path: String, headerLimit: Int = SafetensorsHeader.defaultLimit) throws {
        let descriptor = try Descriptor(path: path)
        let size = try descriptor.size(path: path)
        var prefix = [UInt8](repeating: 0, count: min(8, size))
        try prefix.withUnsafeMutableBytes { try descriptor.read(into: $0, from: 0, path: path) }
        let length = try SafetensorsHeader.length(prefix: prefix, fileSize: size, limit: headerLimit, file: path)
        var json = [UInt8](repeating: 0, count: length)
        try json.withUnsafeMutableBytes { try descriptor.read(into: $0, from: 8, path: path) }
        self.path = path
        self.descriptor = descriptor
        dataStart = 8 + length
        header = try SafetensorsHeader(json: json, dataSize: size - dataStart, file: path)
        digest = header.metadata[SafetensorsDigest.key].flatMap { _ in SafetensorsDigest.begin(json) }
        entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
    }

    /// The tensor of that name, if the file has it.
    public func entry(named name: String) -> SafetensorsHeader.Entry? { entries[name] }

    /// Reads a tensor's bytes (little endian, row-major).
    ///
    /// - Parameters:
    ///   - name: The tensor.
    ///   - buffer: Where to put them; must be exactly as large as the tensor.
    /// - Throws: ``SafetensorsError`` if there is no such tensor or its bytes can't be read.
    public func read(_ name: String, into buffer: UnsafeMutableRawBufferPointer) throws {
        guard let entry = entries[name] else {
            throw SafetensorsError(file: path, tensor: name, reason: "the file has no such tensor")
        }
        guard buffer.count == entry.range.count else {
            let reason = "has \(entry.range.count) bytes, the buffer to read into \(buffer.count)"
            throw SafetensorsError(file: path, tensor: name, reason: reason)
        }
        do {
            try descriptor.read(into: buffer, from: dataStart + entry.range.lowerBound, path: path)
        } catch let error as SafetensorsError {
            throw SafetensorsError(file: path, tensor: name, reason: error.reason)
        }
        // Any other byte in place of a truth value makes compiled code behave as it likes.
        if entry.dtype == .bool, let bad = buffer.first(where: { $0 > 1 }) {
            throw SafetensorsError(file: path, tensor: name, reason: "holds \(bad) in place of a truth value")
        }
    }

    /// A tensor's bytes.
    public func bytes(of name: String) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: entries[name]?.range.count ?? 0)
        try bytes.withUnsafeMutableBytes { try read(name, into: $0) }
        return bytes
    }
}

/// An open file that closes itself.
private final class Descriptor: Sendable {
    private let number: Int32

    init(path: String) throws {
        // Without O_NONBLOCK opening a named pipe would wait for a writer.
        number = openFile(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if number < 0 { throw Descriptor.failure("cannot open", path) }
    }

    deinit { close(number) }

    func size(path: String) throws -> Int {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw Descriptor.failure("cannot open", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SafetensorsError(file: path, reason: "is not an ordinary file")
        }
        return Int(status.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int, path: String) throws {
        guard let count = readFile(number, into: buffer, at: offset) else {
            throw Descriptor.failure("cannot read", path)
        }
        if count < buffer.count { throw SafetensorsError(file: path, reason: "became shorter while it was read") }
    }

    private static func failure(_ action: String, _ path: String) -> SafetensorsError {
        let error = FileError(path: path, action)
        return SafetensorsError(file: path, reason: error.reason)
    }
}
