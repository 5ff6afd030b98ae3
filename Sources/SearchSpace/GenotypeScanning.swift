import JSON

extension GenotypeDocument {
    /// Reads the file's content; Foundation's parser would take the last of two equal keys, and `1.0` as 1.
    init(_ scanner: inout JSONScanner) throws {
        self.init()
        guard !scanner.documentKeys.contains("kind") else { throw GenotypeDocument.otherKind }
        var found: [String] = []
        guard try scanner.next() == UInt8(ascii: "{") else { throw try scanner.mismatch("an object") }
        try scanner.document { key, scanner in
            found.append(key)
            switch key {
            case "version": version = try scanner.wholeNumber()
            case "layers": layers = try scanner.wholeNumber()
            case "blocks": blocks = try scanner.wholeNumber()
            case "path": path = try scanner.list { try $0.wholeNumber() }
            case "cell": cell = try scanner.list { try $0.list { try $0.list { try $0.text() } } }
            case "skips": skips = try scanner.list { try $0.wholeNumberOrNull() }
            case "atrous": atrous = try scanner.text()
            case "stem": stem = try scanner.text()
            default: try scanner.skip()
            }
        }
        try GenotypeDocument.check(keys: found)
    }
}

extension JSONScanner {
    /// The keys of the object that is the whole text, as far as it can be read.
    var documentKeys: [String] {
        var (look, keys) = (self, [String]())
        try? look.document { key, scanner in
            keys.append(key)
            try scanner.skip()
        }
        return keys
    }

    mutating func list<Element>(_ element: (inout JSONScanner) throws -> Element) throws -> [Element] {
        guard try next() == UInt8(ascii: "[") else { throw try mismatch("a list") }
        var elements: [Element] = []
        try array { elements.append(try element(&$0)) }
        return elements
    }

    mutating func text() throws -> String {
        guard try next() == UInt8(ascii: "\"") else { throw try mismatch("a text") }
        return try string()
    }

    mutating func wholeNumber() throws -> Int {
        var look = self
        guard startsNumber(try next()), let value = Int(try numeral()) else {
            throw try look.mismatch("a whole number")
        }
        return value
    }

    mutating func wholeNumberOrNull() throws -> Int? {
        let sign = try next()
        if startsNumber(sign) { return try wholeNumber() }
        guard sign == UInt8(ascii: "n") else { throw try mismatch("a whole number or null") }
        try skip()
        return nil
    }

    /// An error about the next value, which must be JSON for all that.
    mutating func mismatch(_ wanted: String) throws -> SearchSpaceError {
        let found: String
        switch try next() {
        case UInt8(ascii: "\""): found = "the text \(quoted(try string()))"
        case let sign where startsNumber(sign): found = "the number \(try numeral().prefix(40))"
        case let sign:
            try skip()
            found =
                switch sign {
                case UInt8(ascii: "{"): "an object"
                case UInt8(ascii: "["): "a list"
                case UInt8(ascii: "t"): "true"
                case UInt8(ascii: "f"): "false"
                default: "null"
                }
        }
        return SearchSpaceError(
            location: place.isEmpty ? "the file" : place, problem: "expected \(wanted), found \(found)")
    }
}

private func startsNumber(_ sign: UInt8) -> Bool {
    sign == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(sign)
}

extension JSONFault {
    /// What is wrong, as a genotype file's errors say it.
    var grammarProblem: String {
        switch problem {
        case .sign(let sign), .separator(let sign): "expected '\(sign)'"
        case .key: "expected a key in double quotes"
        case .value: isAtEnd ? "the text ends too early" : "expected a value"
        case .digit: "expected a digit"
        case .leadingZero: "a number starts with 0"
        case .unclosedString: "a text without its closing quote"
        case .controlCharacter: "a text with a control character or a line break"
        case .encoding: "a text is not UTF-8"
        case .unknownEscape: "an unknown escape"
        case .incompleteEscape, .halfPair: "a broken \\u escape"
        case .repeatedKey(let key): "the key \(quoted(key)) is repeated"
        case .rest: "unexpected text after the end of the JSON value"
        case .number, .depth, .meaning: description
        }
    }
}
