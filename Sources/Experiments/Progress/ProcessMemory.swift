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
