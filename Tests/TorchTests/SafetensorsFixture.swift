import Foundation
import TestSupport
import Torch

/// Bytes of safetensors files, right and wrong, written out by hand.
enum SafetensorsFixture {
    /// A file of a header, as it stands, and data.
    static func file(_ json: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
        file(Array(json.utf8), data: data, length: length)
    }

    static func file(_ json: [UInt8], data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
        let size = length ?? UInt64(json.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * UInt64($0))) } + json + data
    }

    /// A description as it stands in a header.
    static func entry(_ dtype: String, _ shape: String, _ offsets: String) -> String {
        #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    /// Opens a file of these bytes and reads all of it.
    static func load(_ bytes: [UInt8], headerLimit: Int = SafetensorsHeader.defaultLimit) throws -> [String: [UInt8]] {
        let folder = try TemporaryFolder()
        let path = folder.file("x.safetensors")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let file = try SafetensorsFile(path: path, headerLimit: headerLimit)
        return try Dictionary(uniqueKeysWithValues: file.header.entries.map { ($0.name, try file.bytes(of: $0.name)) })
    }
}
