/// What a call throws, as text; nil where it throws nothing.
package func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return "\(error)"
    }
}
