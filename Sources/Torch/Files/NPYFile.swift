import Foundation

extension Tensor {
    /// Writes the numbers as NumPy's .npy file (version 1.0) of 32-bit floats in C's order, whole or not at all.
    ///
    /// - Throws: `FileError` where the file cannot be written.
    public func saveNPY(to path: String) throws {
        var data = npyHeader(shape: shape)
        let values = contiguous().floats()
        values.withUnsafeBytes { data.append(contentsOf: $0) }
        try AtomicFile.write(data, to: path)
    }
}

/// What stands before the numbers of a .npy file of 32-bit floats.
package func npyHeader(shape: [Int]) -> Data {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
    // Magic, version and length take ten bytes; the numbers begin at a multiple of 64.
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: header.utf8)
    return data
}
