import Runs
import Testing

@Suite("Cells of CSV files")
struct CSVCellTests {
    @Test("Texts that a spreadsheet would compute stay texts, numbers stay numbers")
    func formulas() {
        #expect(csvCell("road") == "road")
        #expect(csvCell("road, wet") == "\"road, wet\"")
        #expect(csvCell("a \"b\"\nc") == "\"a \"\"b\"\"\nc\"")
        #expect(csvCell("=1+1") == "\"'=1+1\"")
        #expect(csvCell("@SUM(A1)") == "\"'@SUM(A1)\"")
        #expect(csvCell("+cmd|' /C calc'!A0") == "\"'+cmd|' /C calc'!A0\"")
        #expect(csvCell("-background") == "\"'-background\"")
        #expect(csvCell("a\u{1B}[31mred") == "a\\u001b[31mred")
        #expect(csvCell("=\u{301}1") == "\"'=\u{301}1\"")
        #expect(csvCell("-0.5") == "-0.5" && csvCell("+1e-3") == "+1e-3" && csvCell("") == "")
    }
}
