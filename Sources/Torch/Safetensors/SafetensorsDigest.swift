/// The digest that a file may carry among its metadata, as `"xxh64":"0123456789abcdef"`.
///
/// It is the ``XXHash64`` of all bytes behind the header's length, its own digits read as zeros. Other readers see one
/// more text; this one notices any byte that is not as it was written.
enum SafetensorsDigest {
    static let key = "xxh64"
    static let blank = String(repeating: "0", count: 16)

    /// Where in a header's bytes the digits are; nil where there are none in this very spelling.
    static func place(in json: [UInt8]) -> Range<Int>? {
        let mark = Array("\"\(key)\":\"".utf8)
        guard json.count >= mark.count + blank.utf8.count + 1 else { return nil }
        for start in 0...(json.count - mark.count - blank.utf8.count - 1)
        where json[start] == mark[0] && json[start..<start + mark.count].elementsEqual(mark) {
            let digits = start + mark.count..<start + mark.count + blank.utf8.count
            return json[digits.upperBound] == UInt8(ascii: "\"") ? digits : nil
        }
        return nil
    }

    /// The hash of a header, with which that of the file begins; nil where the header carries no digest.
    static func begin(_ json: [UInt8]) -> XXHash64? {
        guard let place = place(in: json) else { return nil }
        var blanked = json
        blanked.replaceSubrange(place, with: blank.utf8)
        var hash = XXHash64()
        hash.update(blanked)
        return hash
    }
}
