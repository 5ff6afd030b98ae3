import Testing

@Suite("Conversions of numbers")
struct ConversionRuleTests {
    @Test("The compiler refuses conversions that could trap, in every target")
    func rule() throws {
        let root = #filePath.components(separatedBy: "/Tests/")[0]
        let result = try Command.launch("/bin/bash", [root + "/scripts/check-conversions.sh"])
        #expect(result.status == 0, "\(result.errors)")
    }
}
