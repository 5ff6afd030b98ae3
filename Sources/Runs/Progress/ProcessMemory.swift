import Foundation

/// Main memory that this process takes.
public enum ProcessMemory {
    /// Bytes that are resident now; 0 where the system does not tell.
    public static var resident: Int { read().resident }

    /// The most bytes that were ever resident; 0 where the system does not tell.
    public static var peak: Int { read().peak }

    /// Bytes that programs can still have without swapping; nil where the system does not tell.
    public static var available: Int? {
        #if os(Linux)
            kilobytes("MemAvailable:", in: "/proc/meminfo").map { $0 * 1_024 }
        #else
            nil
        #endif
    }

    /// Lets tcmalloc, where the program is linked to it, keep eight megabytes for its threads, not the usual 32.
    ///
    /// Nothing becomes slower by it, and memory does not seem to grow while caches fill. An own setting in the
    /// environment (`TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES`) stands.
    public static func boundThreadCaches() {
        #if os(Linux)
            guard getenv("TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES") == nil,
                let symbol = dlsym(nil, "MallocExtension_SetNumericProperty")
            else { return }
            typealias Setter = @convention(c) (UnsafePointer<CChar>, Int) -> Int32
            _ = unsafeBitCast(symbol, to: Setter.self)("tcmalloc.max_total_thread_cache_bytes", 8 << 20)
        #endif
    }

    private static func read() -> (resident: Int, peak: Int) {
        #if os(Linux)
            let status = "/proc/self/status"
            return ((kilobytes("VmRSS:", in: status) ?? 0) * 1_024, (kilobytes("VmHWM:", in: status) ?? 0) * 1_024)
        #else
            var info = mach_task_basic_info()
            var count = mach_msg_type_number_t(
                MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size)
            let result = withUnsafeMutablePointer(to: &info) { pointer in
                pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                    task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
                }
            }
            guard result == KERN_SUCCESS else { return (0, 0) }
            return (Int(info.resident_size), Int(info.resident_size_max))
        #endif
    }

    #if os(Linux)
        private static func kilobytes(_ key: String, in path: String) -> Int? {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
            let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
            // Large numbers leave no blank between the tabulator and themselves.
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        }
    #endif
}
