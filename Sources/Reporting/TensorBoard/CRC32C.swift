import Foundation

/// The checksum of event files: CRC-32 with Castagnoli's polynomial.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0x82F6_3B78 ^ (value >> 1) : value >> 1 }
    }

    static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
    }

    /// The checksum in the form that is stored beside data: a checksum of data with its checksum would be no check.
    static func masked(_ data: Data) -> UInt32 {
        let crc = checksum(data)
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}
