import Foundation
import Torch

/// One file with everything that a loop needs to go on: tensors by section, and plain values as metadata.
package struct Checkpoint {
    /// Tensors by section and name.
    package var sections: [String: [String: Tensor]] = [:]
    package var metadata: [String: String] = [:]

    /// Writes the file whole or not at all, with a digest.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - root: The run's folder, in which no link is followed; nil for a path that a user named.
    /// - Throws: `FileError` where it cannot be written.
    package func write(to path: String, below root: String? = nil) throws {
        var tensors: [String: Tensor] = [:]
        for (section, content) in sections {
            for (name, tensor) in content { tensors[section + "/" + name] = tensor }
        }
        try saveTensors(tensors, metadata: metadata, to: path, below: root, carriesDigest: true)
    }

    package init() {}

    /// Reads a checkpoint and compares it with its digest.
    package init(at path: String, requiresDigest: Bool = true) throws {
        let (tensors, metadata) = try loadTensors(path, requiresDigest: requiresDigest)
        self.metadata = metadata
        for (name, tensor) in tensors {
            guard let slash = name.firstIndex(of: "/") else { continue }
            sections[String(name[..<slash]), default: [:]][String(name[name.index(after: slash)...])] = tensor
        }
    }

    /// A section, which must be there.
    package func section(_ name: String, in path: String) throws -> [String: Tensor] {
        guard let section = sections[name] else {
            throw RunError(.damaged, path: path, "no `\(name)`; it is no checkpoint of such a run")
        }
        return section
    }

    /// Stores a plain value.
    package mutating func set(_ key: String, _ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        metadata[key] = String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// A plain value, which must be there.
    package func value<Value: Decodable>(_ key: String, as type: Value.Type, in path: String) throws -> Value {
        guard let text = metadata[key], let value = try? JSONDecoder().decode(type, from: Data(text.utf8)) else {
            throw RunError(.damaged, path: path, "no usable `\(key)` in the checkpoint")
        }
        return value
    }
}
