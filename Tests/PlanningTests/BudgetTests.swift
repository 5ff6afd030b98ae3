import Configurations
import Planning
import Testing

/// Times as users write them.
@Suite struct BudgetTests {
    @Test(arguments: [
        ("30min", 1_800.0), ("2h", 7_200.0), ("90s", 90.0), ("1.5 h", 5_400.0), ("OVERNIGHT", 28_800.0),
        ("1d", 86_400.0), ("1w", 604_800.0), ("3m", 180.0),
    ]) func reads(text: String, seconds: Double) throws {
        #expect(try Budget(text).seconds == seconds)
    }

    @Test(arguments: ["", "min", "30", "-5min", "1e9h", "3 fortnights", "30s", "3w", "nan h", "0x10h"])
    func refuses(text: String) {
        #expect(throws: ConfigurationError.self) { try Budget(text) }
    }

    @Test(arguments: [
        (45.0, "45 s"), (600.0, "10 min"), (5_400.0, "90 min"), (9_000.0, "2 h 30 min"), (259_200.0, "3 d"),
    ]) func writes(seconds: Double, text: String) {
        #expect(Budget.text(seconds) == text)
    }
}
