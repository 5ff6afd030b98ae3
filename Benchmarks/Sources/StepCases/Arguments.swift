/// Words of a command line: options with a value each, and one without a name.
package struct Arguments {
    package private(set) var position: String?
    private var options: [String: String] = [:]

    package init(_ words: some Sequence<String>) {
        var words = words.makeIterator()
        while let word = words.next() {
            if word.hasPrefix("--") { options[word] = words.next() } else { position = word }
        }
    }

    package subscript(name: String) -> String? { options[name] }
}
