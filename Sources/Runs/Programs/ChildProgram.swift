import Foundation

/// Another program, run to its end; unlike Foundation's `Process` it needs no thread of its own.
package struct ChildProgram {
    /// The program's path, or a name that is looked up in PATH.
    let path: String
    /// Its arguments.
    let arguments: [String]

    package init(path: String, arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// Runs the program without input.
    ///
    /// - Parameters:
    ///   - output: The file for standard output; nil throws it away.
    ///   - errors: The file for standard error; nil throws it away.
    /// - Returns: The exit status; nil where the program cannot be started or was killed.
    package func run(output: String? = nil, errors: String? = nil) -> Int32? {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        let writing = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output ?? "/dev/null", writing, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors ?? "/dev/null", writing, 0o600)
        // What this process does about signals is not meant for others.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        guard posix_spawnp(&child, path, &actions, &attributes, &words, environ) == 0 else { return nil }
        var status: Int32 = 0
        guard repeating({ waitpid(child, &status, 0) }) >= 0 else { return nil }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    }
}
