/// The version of this package.
public let packageVersion = "0.1.0"

/// The version of the Swift compiler that built this package, as far as a program can know.
package let swiftVersion: String = {
    #if compiler(>=6.4)
        "6.4 or later"
    #elseif compiler(>=6.3)
        "6.3"
    #elseif compiler(>=6.2)
        "6.2"
    #else
        "6.1"
    #endif
}()
