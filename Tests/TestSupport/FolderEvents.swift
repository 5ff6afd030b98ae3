import Foundation

/// Wakes a waiting test when something changes in folders that it watches.
package final class FolderEvents {
    private let changed = DispatchSemaphore(value: 0)
    #if os(Linux)
        private let descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
    #else
        private var watched: Set<String> = []
    #endif
    private var sources: [any DispatchSourceProtocol] = []

    package init() {
        #if os(Linux)
            let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
            source.setEventHandler { [changed, descriptor] in
                var buffer = [UInt8](repeating: 0, count: 4_096)
                while read(descriptor, &buffer, buffer.count) > 0 {}
                changed.signal()
            }
            source.setCancelHandler { [descriptor] in _ = close(descriptor) }
            source.resume()
            sources = [source]
        #endif
    }

    deinit { for source in sources { source.cancel() } }

    /// Lets a waiting test look again, from any thread.
    package var wake: @Sendable () -> Void { { [changed] in _ = changed.signal() } }

    /// Waits until a condition holds.
    ///
    /// - Parameters:
    ///   - path: the file that the condition is about; its folders may not be there yet.
    ///   - condition: looked at first, and again after each change in the folders above the file.
    package func wait(for path: String, until condition: () -> Bool) {
        while true {
            // What appears after a folder was watched wakes; what was there before is seen by the condition.
            watchFolders(above: path)
            if condition() { return }
            changed.wait()
        }
    }

    private func watchFolders(above path: String) {
        var folder = path
        repeat {
            folder = (folder as NSString).deletingLastPathComponent
            watch(folder)
        } while folder.count > NSTemporaryDirectory().count
    }

    private func watch(_ folder: String) {
        #if os(Linux)
            _ = inotify_add_watch(descriptor, folder, UInt32(IN_CREATE | IN_MOVED_TO | IN_MODIFY))
        #else
            guard !watched.contains(folder) else { return }
            let descriptor = open(folder, O_EVTONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return }
            watched.insert(folder)
            let source = DispatchSource.makeFileSystemObjectSource(
                fileDescriptor: descriptor, eventMask: [.write, .extend], queue: .global())
            source.setEventHandler { [changed] in changed.signal() }
            source.setCancelHandler { close(descriptor) }
            source.resume()
            sources.append(source)
        #endif
    }
}
