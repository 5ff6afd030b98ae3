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
        let wanted = min(buffer.count, limit - data.count)
        let count = buffer.withUnsafeMutableBytes { readFile(descriptor, into: .init(rebasing: $0[..<wanted])) }
        guard let count else { return nil }
        data.append(contentsOf: buffer[..<count])
        if count < wanted { break }
    }
    return data
}

/// Reads an open file until its end, or until memory is full; an interruption is no failure.
///
/// - Parameters:
///   - descriptor: The file.
///   - buffer: The memory.
///   - offset: Where to read; nil for where the file is.
/// - Returns: The number of bytes, fewer than fit at the end alone; nil with `errno` where it cannot be read.
func readFile(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int? = nil) -> Int? {
    transferred(buffer.count) { done, count in
        guard let place = buffer.baseAddress.map({ $0 + done }) else { return 0 }
        return offset.map { pread(descriptor, place, count, off_t($0 + done)) } ?? read(descriptor, place, count)
    }
}

/// Writes all bytes to an open file; neither an interruption nor a pipe that is full is a failure.
///
/// - Parameters:
///   - descriptor: The file.
///   - bytes: The bytes.
///   - offset: Where to write; nil for where the file is.
/// - Returns: Whether all were written; if not, `errno` says why.
func writeFile(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int? = nil) -> Bool {
    let done = transferred(bytes.count) { done, count in
        guard let place = bytes.baseAddress.map({ $0 + done }) else { return 0 }
        while true {
            let written =
                offset.map { pwrite(descriptor, place, count, off_t($0 + done)) } ?? write(descriptor, place, count)
            guard written < 0, errno == EAGAIN || errno == EWOULDBLOCK else { return written }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&waiting, 1, -1)
        }
    }
    if let done, done < bytes.count { errno = EIO }
    return done == bytes.count
}

/// Calls again and again for what is left of a number of bytes, until a call does none.
///
/// - Returns: How many bytes were done; nil with `errno` where a call failed.
private func transferred(_ count: Int, _ call: (_ done: Int, _ count: Int) -> Int) -> Int? {
    var done = 0
    while done < count {
        // Both systems refuse or shorten a single call for 2 GiB.
        let part = repeating { call(done, min(count - done, 1 << 30)) }
        if part < 0 { return nil }
        if part == 0 { break }
        done += part
    }
    return done
}

/// Repeats a system's call until no signal interrupts it.
func repeating<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

/// What the number of a system's error means, with what to do where that is not plain.
func systemReason(_ code: Int32 = errno) -> String {
    let reason = String(cString: strerror(code))
    return code == EFBIG ? reason + "; raise the limit on a file's size (ulimit -f unlimited)" : reason
}
