import Foundation
import TestSupport
import Testing
import Torch

@Suite("Safetensors: what is refused")
struct SafetensorsHeaderTests {
    struct Malformed: CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let reason: String

        init(_ name: String, _ bytes: [UInt8], _ reason: String) {
            testDescription = name
            self.bytes = bytes
            self.reason = reason
        }

        /// One tensor "a" of this description before 4 bytes of data.
        init(_ name: String, entry: String, _ reason: String) {
            self.init(name, SafetensorsFixture.file("{\"a\":\(entry)}", data: [1, 2, 3, 4]), reason)
        }
    }

    private typealias Fixture = SafetensorsFixture
    private static let good = Fixture.entry("U8", "[4]", "[0,4]")
    private static let four: [UInt8] = [1, 2, 3, 4]

    static let structure = [
        Malformed("empty", [], "too short for a safetensors file: 0 bytes"),
        Malformed("seven bytes", [UInt8](repeating: 0, count: 7), "too short"),
        Malformed("empty header", Fixture.file(""), "does not begin with '{'"),
        Malformed("header beyond the file", Fixture.file("{}", length: 3), "should have 3 bytes, the file has 10"),
        Malformed("largest length", Fixture.file("{}", length: .max), "should have 18446744073709551615 bytes"),
        Malformed("array", Fixture.file("[]"), "does not begin with '{'"),
        Malformed("space first", Fixture.file(" {}"), "does not begin with '{'"),
        Malformed("unclosed", Fixture.file("{"), "ends inside"),
        Malformed("unclosed key", Fixture.file("{\"a"), "ends inside a key"),
        Malformed("no colon", Fixture.file("{\"a\" 1}"), "must have ':' at byte 5"),
        Malformed("no comma", Fixture.file("{\"a\":\(good) \"b\":\(good)}", data: four), "must have '}'"),
        Malformed("trailing comma", Fixture.file("{\"a\":\(good),}", data: four), "must have '\"'"),
        Malformed("text after the object", Fixture.file("{} x"), "something else than spaces"),
        Malformed("line feed after the object", Fixture.file("{}\n"), "something else than spaces"),
        Malformed("second object", Fixture.file("{}{}"), "something else than spaces"),
        Malformed("number as key", Fixture.file("{1:2}"), "must have '\"'"),
        Malformed("bytes without a tensor", Fixture.file("{}", data: [1]), "1 bytes after the last tensor"),
        Malformed(
            "duplicate name", Fixture.file("{\"a\":\(good),\"a\":\(good)}", data: four), "tensor \"a\": appears twice"),
        Malformed(
            "duplicate name, escaped", Fixture.file("{\"a\":\(good),\"\\u0061\":\(good)}", data: four),
            "tensor \"a\": appears twice"),
        Malformed(
            "nested a million deep",
            Fixture.file("{\"a\":" + String(repeating: "{\"a\":", count: 1_000_000)), "unknown key \"a\""),
        Malformed(
            "arrays a million deep",
            Fixture.file("{\"a\":{\"shape\":" + String(repeating: "[", count: 1_000_000)), "shape must hold integers"),
    ]

    static let texts = [
        Malformed("invalid UTF-8", Fixture.file([0x7B, 0x22, 0xFF, 0x22, 0x3A]), "is not valid UTF-8"),
        Malformed("overlong UTF-8", Fixture.file([0x7B, 0x22, 0xC0, 0x80, 0x22]), "is not valid UTF-8"),
        Malformed("encoded surrogate", Fixture.file([0x7B, 0x22, 0xED, 0xA0, 0x80, 0x22]), "is not valid UTF-8"),
        Malformed("control character", Fixture.file("{\"a\n\":1}"), "unescaped control character"),
        Malformed("unknown escape", Fixture.file("{\"\\x\":1}"), "unknown escape"),
        Malformed("cut escape", Fixture.file("{\"\\u00"), "incomplete \\u escape"),
        Malformed("escape at the end", Fixture.file("{\"\\"), "ends inside"),
        Malformed("high surrogate alone", Fixture.file("{\"\\ud800\":1}"), "half a surrogate pair"),
        Malformed("low surrogate alone", Fixture.file("{\"\\udc00\\ud800\":1}"), "half a surrogate pair"),
        Malformed("two high surrogates", Fixture.file("{\"\\ud800\\ud800\":1}"), "half a surrogate pair"),
        Malformed("metadata no object", Fixture.file("{\"__metadata__\":1}"), "__metadata__ must have '{'"),
        Malformed(
            "metadata number", Fixture.file("{\"__metadata__\":{\"k\":1}}"), "the value of \"k\" in __metadata__"),
        Malformed("metadata null", Fixture.file("{\"__metadata__\":{\"k\":null}}"), "the value of \"k\""),
        Malformed("metadata nested", Fixture.file("{\"__metadata__\":{\"k\":{}}}"), "the value of \"k\""),
        Malformed(
            "metadata key twice", Fixture.file("{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}"),
            "\"k\" appears twice in __metadata__"),
        Malformed(
            "metadata twice", Fixture.file("{\"__metadata__\":{},\"__metadata__\":{}}"), "__metadata__ appears twice"),
    ]

    static let descriptions = [
        Malformed("null", entry: "null", "tensor \"a\": its description must have '{'"),
        Malformed("no members", entry: "{}", "dtype is missing"),
        Malformed("no shape", entry: #"{"dtype":"U8","data_offsets":[0,4]}"#, "shape is missing"),
        Malformed("no offsets", entry: #"{"dtype":"U8","shape":[4]}"#, "data_offsets is missing"),
        Malformed("no dtype", entry: #"{"shape":[4],"data_offsets":[0,4]}"#, "dtype is missing"),
        Malformed("dtype twice", entry: #"{"dtype":"U8","dtype":"U8"}"#, "dtype appears twice"),
        Malformed("shape twice", entry: #"{"shape":[4],"shape":[4]}"#, "shape appears twice"),
        Malformed(
            "unknown member", entry: #"{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}"#, "unknown key \"x\""),
        Malformed("unknown dtype", entry: Fixture.entry("F8_E4M3", "[4]", "[0,4]"), "dtype \"F8_E4M3\" is none of"),
        Malformed("dtype in small letters", entry: Fixture.entry("u8", "[4]", "[0,4]"), "dtype \"u8\" is none of"),
        Malformed("dtype a number", entry: #"{"dtype":1,"shape":[4],"data_offsets":[0,4]}"#, "dtype must have '\"'"),
        Malformed("shape a number", entry: Fixture.entry("U8", "4", "[0,4]"), "shape must have '['"),
        Malformed("negative extent", entry: Fixture.entry("U8", "[-4]", "[0,4]"), "integers that are not negative"),
        Malformed("fraction", entry: Fixture.entry("U8", "[4.0]", "[0,4]"), "integers that are not negative"),
        Malformed("exponent", entry: Fixture.entry("U8", "[4e0]", "[0,4]"), "integers that are not negative"),
        Malformed("leading zero", entry: Fixture.entry("U8", "[04]", "[0,4]"), "integers that are not negative"),
        Malformed(
            "text in the shape", entry: Fixture.entry("U8", "[\"4\"]", "[0,4]"), "integers that are not negative"),
        Malformed("comma in the shape", entry: Fixture.entry("U8", "[4,]", "[0,4]"), "integers that are not negative"),
        Malformed(
            "extent of 2^63", entry: Fixture.entry("U8", "[9223372036854775808]", "[0,4]"),
            "number in shape is too large"
        ),
        Malformed(
            "product of 2^64", entry: Fixture.entry("U8", "[4294967296,4294967296]", "[0,4]"), "is too large"),
        Malformed(
            "product times the element", entry: Fixture.entry("F64", "[2305843009213693952]", "[0,4]"), "is too large"),
        Malformed(
            "overflow beside a zero", entry: Fixture.entry("U8", "[0,9223372036854775807,9]", "[0,0]"), "is too large"),
        Malformed(
            "65 dimensions",
            entry: Fixture.entry("U8", "[4\(String(repeating: ",1", count: 64))]", "[0,4]"),
            "more than 64 numbers"),
        Malformed("one offset", entry: Fixture.entry("U8", "[4]", "[0]"), "must be [begin, end]"),
        Malformed("three offsets", entry: Fixture.entry("U8", "[4]", "[0,4,4]"), "more than 2 numbers"),
        Malformed("offsets backwards", entry: Fixture.entry("U8", "[4]", "[4,0]"), "must be [begin, end]"),
        Malformed("negative offset", entry: Fixture.entry("U8", "[4]", "[-4,0]"), "integers that are not negative"),
        Malformed("size too small", entry: Fixture.entry("U8", "[3]", "[0,4]"), "takes 3 bytes, data_offsets give 4"),
        Malformed("size too large", entry: Fixture.entry("F32", "[2]", "[0,4]"), "takes 8 bytes, data_offsets give 4"),
        Malformed("beyond the file", entry: Fixture.entry("U8", "[5]", "[0,5]"), "ends at byte 5 of the data"),
        Malformed("gap at the start", entry: Fixture.entry("U8", "[3]", "[1,4]"), "leaves a gap before it"),
        Malformed("bytes at the end", entry: Fixture.entry("U8", "[3]", "[0,3]"), "1 bytes after the last tensor"),
        Malformed(
            "truth value of 2", entry: Fixture.entry("BOOL", "[4]", "[0,4]"), "holds 2 in place of a truth value"),
        Malformed(
            "overlap", entry: "\(Fixture.entry("U8", "[3]", "[0,3]")),\"b\":\(Fixture.entry("U8", "[2]", "[2,4]"))",
            "tensor \"b\": overlaps the tensor before it"),
        Malformed("the same bytes", entry: "\(good),\"b\":\(good)", "overlaps the tensor before it"),
        Malformed(
            "gap between", entry: "\(Fixture.entry("U8", "[1]", "[0,1]")),\"b\":\(Fixture.entry("U8", "[2]", "[2,4]"))",
            "tensor \"b\": leaves a gap before it"),
    ]

    @Test("A malformed file is refused with its reason", arguments: structure + texts + descriptions)
    func malformed(_ file: Malformed) throws {
        let error = try #require(throws: SafetensorsError.self) { try SafetensorsFixture.load(file.bytes) }
        #expect(error.description.contains(file.reason), "\(error)")
        #expect(error.description.contains("x.safetensors: "))
        #expect(!error.description.contains("\n"))
    }

    @Test("A header longer than the limit is refused before it is read")
    func headerLimit() throws {
        let bytes = SafetensorsFixture.file("{\"__metadata__\":{\"k\":\"\(String(repeating: "x", count: 100))\"}}")
        #expect(try SafetensorsFixture.load(bytes, headerLimit: bytes.count - 8).isEmpty)
        let error = try #require(throws: SafetensorsError.self) {
            try SafetensorsFixture.load(bytes, headerLimit: bytes.count - 9)
        }
        #expect(error.reason.contains("more than the limit"))
    }

    @Test("Files that are unusual but right are read")
    func unusual() throws {
        #expect(try SafetensorsFixture.load(SafetensorsFixture.file("{}")).isEmpty)
        #expect(try SafetensorsFixture.load(SafetensorsFixture.file("{ \"__metadata__\" : { } }   ")).isEmpty)
        let scalar = SafetensorsFixture.file("{\"\":\(SafetensorsFixture.entry("U8", "[]", "[0,1]"))}", data: [7])
        #expect(try SafetensorsFixture.load(scalar) == ["": [7]])
        let empty = SafetensorsFixture.entry("F32", "[3,0]", "[0,0]")
        let beside = SafetensorsFixture.entry("U8", " [ 1 , 1 ] ", "[0,1]")
        let none = SafetensorsFixture.file("{\"b\":\(beside),\"a\":\(empty),\"\\ud83d\\ude00\":\(empty)}", data: [9])
        #expect(try SafetensorsFixture.load(none) == ["a": [], "b": [9], "\u{1F600}": []])
    }

    @Test("What is no file is refused without waiting")
    func noFile() throws {
        let folder = try TemporaryFolder()
        let pipe = folder.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        for (path, reason) in [
            (folder.file("none"), "No such file"), (folder.path, "not an ordinary file"),
            (pipe, "not an ordinary file"),
        ] {
            let error = try #require(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
            #expect(error.description.contains(path) && error.description.contains(reason), "\(error)")
        }
    }
}
