import Foundation
import JSON
import Testing

struct JSONScannerTests {
    /// Passes over a text as a whole; nil where it is JSON, otherwise what is wrong.
    private func problem(_ text: [UInt8], isTolerant: Bool = false, maximumDepth: Int = 512) -> JSONFault.Problem? {
        var scanner = JSONScanner(text, isTolerant: isTolerant, maximumDepth: maximumDepth)
        do {
            try scanner.document { _, scanner in try scanner.skip() }
            return nil
        } catch {
            return (error as? JSONFault)?.problem
        }
    }

    private func problem(_ value: String, isTolerant: Bool = false) -> JSONFault.Problem? {
        problem(Array("{\"a\": \(value)}".utf8), isTolerant: isTolerant)
    }

    @Test(arguments: [
        "0", "-0.5e+10", "1E5", "true", "false", "null", "\"\"", "\"\\ud83d\\ude00\\/\\\"\"", "[]", "{}",
        "[[], {}, [1]]",
        "{\"a\": [1, {\"b\": null}], \"c\": {\"d\": \"]\"}}",
    ])
    func valuesArePassedOver(value: String) throws {
        #expect(try JSONSerialization.jsonObject(with: Data("[\(value)]".utf8)) is [Any])
        #expect(problem(value) == nil)
        #expect(problem(value, isTolerant: true) == nil)
    }

    @Test(arguments: [
        ("[1 2]", JSONFault.Problem.separator("]")), ("[1,]", .value), ("[,1]", .value), ("[1}", .separator("]")),
        ("{\"a\" 1}", .sign(":")), ("{\"a\": 1,}", .key), ("{\"a\": 1 \"b\": 2}", .separator("}")), ("{1: 2}", .key),
        ("{\"a\"}", .sign(":")), ("[1]]", .separator("}")), ("\"\\u00\"", .incompleteEscape), (":", .value),
    ])
    func structureIsChecked(value: String, expected: JSONFault.Problem) {
        #expect(problem(value) == expected)
        // Strings are passed over by their ends alone.
        #expect(problem(value, isTolerant: true) == (expected == .incompleteEscape ? nil : expected))
    }

    @Test(arguments: [
        ("01", JSONFault.Problem.leadingZero), ("1.", .digit), (".5", .value), ("-", .digit), ("1e", .digit),
        ("NaN", .value), ("Infinity", .value), ("-Infinity", .digit), ("nul", .value), ("\"\\x\"", .unknownEscape),
        ("\"\\ud800\"", .halfPair), ("\"\n\"", .controlCharacter),
    ])
    func onlyATolerantScannerPassesOver(value: String, expected: JSONFault.Problem) {
        #expect(problem(value) == expected)
        #expect(problem(value, isTolerant: true) == nil)
    }

    @Test func encodingsAreChecked() {
        let text = Array("{\"a\": \"".utf8) + [0xFF] + Array("\"}".utf8)
        #expect(problem(text) == .encoding)
        #expect(problem(text, isTolerant: true) == nil)
        let marked = [0xEF, 0xBB, 0xBF] + Array("{}".utf8)
        #expect(problem(marked) == .sign("{"))
        #expect(problem(marked, isTolerant: true) == nil)
    }

    @Test func depthIsBounded() {
        func nested(_ levels: Int) -> [UInt8] {
            let lists = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
            return Array("{\"a\": \(lists)}".utf8)
        }
        #expect(problem(nested(7), maximumDepth: 8) == nil)
        #expect(problem(nested(8), maximumDepth: 8) == .depth(8))
        #expect(problem(nested(1_000_000), isTolerant: true) == .depth(512))
    }

    @Test func aKeyComesOnce() {
        #expect(problem(Array("{\"a\": 1, \"\\u0061\": 2}".utf8)) == .repeatedKey("a"))
        #expect(problem(Array("{} {".utf8)) == .rest)
    }

    @Test func numbersAreTheNearest() throws {
        var generator = SystemRandomNumberGenerator()
        var texts = ["0", "-0", "0.1", "123456789012345.6", "9007199254740993", "0.000000000000001", "-99.99", "1e-7"]
        for _ in 0..<10_000 {
            let digits = String(UInt64.random(in: 0...999_999_999_999_999, using: &generator))
            let fraction = String(UInt64.random(in: 0...9_999_999, using: &generator))
            texts.append("\(digits.prefix(Int.random(in: 1...15))).\(fraction.prefix(Int.random(in: 1...7)))")
        }
        var scanner = JSONScanner(Array("[\(texts.joined(separator: ", "))]".utf8))
        var values: [Double] = []
        try scanner.array { values.append(try $0.number()) }
        #expect(values.map(\.bitPattern) == texts.map { (Double($0) ?? .nan).bitPattern })
    }

    @Test func faultsHaveAPlace() {
        var scanner = JSONScanner(Array("{\"annotations\": [1, {\"iscrowd\": 3}]}".utf8))
        let fault = #expect(throws: JSONFault.self) {
            try scanner.document { _, scanner in
                try scanner.array { scanner in
                    if try scanner.next() != UInt8(ascii: "{") { return try scanner.skip() }
                    try scanner.object { _, scanner in throw scanner.fault("is wrong") }
                }
            }
        }
        #expect(fault?.place == "annotations[1].iscrowd")
        #expect(fault?.description == "is wrong")
        #expect(fault?.byte == 31)
    }
}

struct JSONTextTests {
    @Test func textsComeBack() throws {
        let texts =
            (0..<0x300).compactMap(Unicode.Scalar.init).map { "a\($0)b" } + ["\u{FEFF}", "\u{1F600}", "\u{2028}"]
        for text in texts {
            #expect(!jsonText(text).unicodeScalars.contains { $0.properties.generalCategory == .control })
            for escaped in [jsonText(text), jsonText(text, isPrintable: false)] {
                var scanner = JSONScanner(Array(escaped.utf8))
                #expect(try scanner.string() == text)
            }
            let parsed = try JSONSerialization.jsonObject(with: Data(jsonText(text).utf8), options: .fragmentsAllowed)
            #expect(parsed as? String == text)
        }
    }

    @Test func escapesAreTheUsualOnes() {
        #expect(jsonText("\"\\\n\r\t\u{8}\u{C}/") == #""\"\\\n\r\t\b\f/""#)
        #expect(jsonText("\u{1B}\u{85}\u{FEFF}é") == #""\u001b\u0085\ufeffé""#)
        #expect(jsonText("\u{1B}\u{85}\u{FEFF}é", isPrintable: false) == "\"\\u001b\u{85}\u{FEFF}é\"")
    }
}
