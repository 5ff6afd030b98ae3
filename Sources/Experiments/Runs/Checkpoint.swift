import Foundation
import Torch

/// Where a loop is, apart from its tensors.
struct LoopPosition: Codable, Equatable {
    /// Steps done.
    var step = 0
    /// Best validation so far.
    var best = -1.0
    /// Sum of the losses of the epoch so far.
    var lossSum = 0.0
    /// Number of these losses.
    var lossCount = 0

    /// Counts a step with its loss.
    mutating func advance(loss: Double) {
        step += 1
        lossSum += loss
        lossCount += 1
    }

    /// The epoch's mean loss; the next one starts at nothing.
    mutating func takeMeanLoss() -> Double {
        defer { (lossSum, lossCount) = (0, 0) }
        return lossSum / Double(max(lossCount, 1))
    }
}

/// One file with everything that a loop needs to go on: tensors by section, and plain values as metadata.
struct Checkpoint {
    var sections: [String: [String: Tensor]] = [:]
    var metadata: [String: String] = [:]

    /// Writes the newest of a row of checkpoints; the ones before it become `NAME-1`, `NAME-2`, up to `keep` in all.
    func write(to path: String, keep: Int) throws {
        func older(_ age: Int) -> String {
            age == 0 ? path : String(path.dropLast(".safetensors".count)) + "-\(age).safetensors"
        }
        // From the oldest on, and the newest as a second name for its file: at no moment is there none.
        for age in (1..<max(keep, 1)).reversed() {
            if age > 1 { rename(older(age - 1), older(age)) } else { unlink(older(1)) }
        }
        if keep > 1 { link(path, older(1)) }
        try write(to: path)
    }

    /// Writes the file whole or not at all.
    func write(to path: String) throws {
        var tensors: [String: Tensor] = [:]
        for (section, content) in sections {
            for (name, tensor) in content { tensors[section + "/" + name] = tensor }
        }
        try saveTensors(tensors, metadata: metadata, to: path)
    }

    init() {}

    /// Reads a checkpoint.
    init(at path: String) throws {
        let (tensors, metadata) = try loadTensors(path)
        self.metadata = metadata
        for (name, tensor) in tensors {
            guard let slash = name.firstIndex(of: "/") else { continue }
            sections[String(name[..<slash]), default: [:]][String(name[name.index(after: slash)...])] = tensor
        }
    }

    /// A section, which must be there.
    func section(_ name: String, in path: String) throws -> [String: Tensor] {
        guard let section = sections[name] else {
            throw RunError(.damaged, path: path, "\(path): no `\(name)`; it is no checkpoint of such a run")
        }
        return section
    }

    /// Stores a plain value.
    mutating func set(_ key: String, _ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        metadata[key] = String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// A plain value, which must be there.
    func value<Value: Decodable>(_ key: String, as type: Value.Type, in path: String) throws -> Value {
        guard let text = metadata[key], let value = try? JSONDecoder().decode(type, from: Data(text.utf8)) else {
            throw RunError(.damaged, path: path, "\(path): no usable `\(key)` in the checkpoint")
        }
        return value
    }
}
