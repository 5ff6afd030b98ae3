import Foundation

/// The reader that FUZZ_READER names.
private let reader: Reader = {
    let name = ProcessInfo.processInfo.environment["FUZZ_READER"] ?? ""
    guard let reader = Reader(rawValue: name) else {
        print("FUZZ_READER must be one of \(Reader.allCases.map(\.rawValue).joined(separator: ", "))")
        exit(64)
    }
    return reader
}()

/// Called once by libFuzzer: with FUZZ_SEEDS=FOLDER it writes seeds and a dictionary there, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutablePointer<CInt>, _: UnsafeMutableRawPointer) -> CInt {
    guard let folder = ProcessInfo.processInfo.environment["FUZZ_SEEDS"] else { return 0 }
    do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (number, seed) in try reader.seeds(folder).enumerated() {
            try seed.write(to: URL(fileURLWithPath: "\(folder)/seed-\(number)"))
        }
        let words = reader.words.map { word in
            "\"" + word.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\"\n"
        }
        try Data(words.joined().utf8).write(to: URL(fileURLWithPath: folder + ".dict"))
    } catch {
        print("\(error)")
        exit(73)
    }
    exit(0)
}

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func readOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    reader.read(bytes.map { Data(bytes: $0, count: count) } ?? Data())
    return 0
}
