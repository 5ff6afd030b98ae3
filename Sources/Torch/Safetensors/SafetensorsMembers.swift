import JSON

extension SafetensorsHeader {
    /// Reads the header's object: the tensors in the order of their bytes, and the metadata.
    static func members(_ scanner: inout JSONScanner) throws -> (entries: [Entry], metadata: [String: String]) {
        var entries: [String: Entry] = [:]
        var metadata: [String: String]?
        try scanner.object { name, scanner in
            if name == metadataKey {
                if metadata != nil { throw scanner.fault("\(name) appears twice") }
                metadata = try texts(&scanner)
            } else {
                if entries[name] != nil { throw scanner.fault("appears twice") }
                entries[name] = try entry(named: name, &scanner)
            }
        }
        return (entries.values.sorted(by: precedes), metadata ?? [:])
    }

    private static func texts(_ scanner: inout JSONScanner) throws -> [String: String] {
        var texts: [String: String] = [:]
        try scanner.object { key, scanner in
            if texts.updateValue(try scanner.string(), forKey: key) != nil {
                throw scanner.fault("\(SafetensorsError.quoted(key)) appears twice in \(metadataKey)")
            }
        }
        return texts
    }

    private static func entry(named name: String, _ scanner: inout JSONScanner) throws -> Entry {
        var dtypeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { key, scanner in
            switch key {
            case "dtype" where dtypeName == nil: dtypeName = try scanner.string()
            case "shape" where shape == nil: shape = try scanner.naturals(key, limit: maximumRank)
            case "data_offsets" where offsets == nil: offsets = try scanner.naturals(key, limit: 2)
            case "dtype", "shape", "data_offsets": throw scanner.fault("\(key) appears twice")
            default: throw scanner.fault("unknown key \(SafetensorsError.quoted(key))")
            }
        }
        guard let dtypeName else { throw scanner.fault("dtype is missing") }
        guard let shape else { throw scanner.fault("shape is missing") }
        guard let offsets else { throw scanner.fault("data_offsets is missing") }
        guard let dtype = SafetensorsDType(rawValue: dtypeName) else {
            let known = SafetensorsDType.allCases.map(\.rawValue).joined(separator: ", ")
            throw scanner.fault("dtype \(SafetensorsError.quoted(dtypeName)) is none of \(known)")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw scanner.fault("data_offsets must be [begin, end], not \(offsets)")
        }
        guard let size = byteCount(dtype: dtype, shape: shape) else {
            throw scanner.fault("shape \(shape) is too large")
        }
        guard offsets[1] - offsets[0] == size else {
            let given = offsets[1] - offsets[0]
            throw scanner.fault("shape \(shape) of \(dtypeName) takes \(size) bytes, data_offsets give \(given)")
        }
        return Entry(name: name, dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
    }
}

extension JSONScanner {
    /// Reads a list of at most `limit` whole numbers that are not negative.
    fileprivate mutating func naturals(_ what: String, limit: Int) throws -> [Int] {
        var values: [Int] = []
        try array { scanner in
            if values.count == limit { throw scanner.fault("\(what) has more than \(limit) numbers") }
            let numeral = try scanner.numeral()
            guard numeral.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                throw scanner.fault("\(what) must hold integers that are not negative")
            }
            guard let value = Int(numeral) else { throw scanner.fault("a number in \(what) is too large") }
            values.append(value)
        }
        return values
    }
}

extension SafetensorsError {
    /// What is wrong with a header, named after the part of it that is read.
    init(_ fault: JSONFault, file: String) {
        var what = "the header"
        var tensor: String?
        if case .key(let name)? = fault.steps.first {
            var member: String?
            if case .key(let key)? = fault.steps.dropFirst().first { member = key }
            if name == SafetensorsHeader.metadataKey {
                what = member.map { "the value of \(SafetensorsError.quoted($0)) in \(name)" } ?? name
            } else {
                tensor = name
                what = member ?? "its description"
            }
        }
        if fault.isInKey { what = "a key of \(what)" }
        self.init(file: file, tensor: tensor, reason: SafetensorsError.reason(fault, what))
    }

    private static func reason(_ fault: JSONFault, _ what: String) -> String {
        let atByte = "at byte \(fault.byte) of the header"
        return switch fault.problem {
        case .unclosedString: "the header ends inside \(what)"
        case .sign where fault.isAtEnd, .separator where fault.isAtEnd, .key where fault.isAtEnd,
            .number where fault.isAtEnd, .digit where fault.isAtEnd:
            "the header ends inside \(what)"
        case .sign(let sign), .separator(let sign): "\(what) must have '\(sign)' \(atByte)"
        case .key: "\(what) must have '\"' \(atByte)"
        case .number, .digit, .leadingZero: "\(what) must hold integers that are not negative"
        case .controlCharacter: "\(what) holds an unescaped control character"
        case .encoding: "\(what) is not valid UTF-8"
        case .unknownEscape: "\(what) holds an unknown escape"
        case .incompleteEscape: "\(what) holds an incomplete \\u escape"
        case .halfPair: "\(what) holds half a surrogate pair"
        case .value, .repeatedKey, .depth, .rest, .meaning: fault.description
        }
    }
}
