// One file, linked into the folders of the targets that open files.
import Foundation

/// Opens a file; an interruption by a signal, which file systems on a network let happen, is no failure.
///
/// - Returns: The descriptor, or -1 with `errno`.
func openFile(_ path: String, _ flags: Int32, _ mode: mode_t = 0o666) -> Int32 {
    repeating { open(path, flags, mode) }
}

/// Opens a file by its name in an open folder, as ``openFile(_:_:_:)`` does.
func openFile(_ name: String, in folder: Int32, _ flags: Int32, _ mode: mode_t = 0o666) -> Int32 {
    repeating { openat(folder, name, flags, mode) }
}

/// Cuts an open file, or makes it longer by zeros; an interruption is no failure.
func truncateFile(_ descriptor: Int32, to size: Int) -> Bool {
    repeating { ftruncate(descriptor, off_t(size)) } == 0
}

/// Reads an open file from where it is, until its end or a number of bytes; an interruption is no failure.
///
/// - Returns: The bytes; nil with `errno` where it cannot be read.
func readFile(_ descriptor: Int32, atMost limit: Int) -> Data? {
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: min(limit, 1 << 16))
    while data.count < limit {
        let count = buffer.withUnsafeMutableBytes {
            read(descriptor, $0.baseAddress, min($0.count, limit - data.count))
        }
        if count < 0 {
            if errno == EINTR { continue }
            return nil
        }
        if count == 0 { break }
        data.append(contentsOf: buffer[..<count])
    }
    return data
}

private func repeating(_ call: () -> Int32) -> Int32 {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
