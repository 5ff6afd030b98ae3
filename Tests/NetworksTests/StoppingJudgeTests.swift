import ArchitectureSearch
import Foundation
import TestSupport
import Testing

@Suite("Judge of candidates between two parts of their training")
struct StoppingJudgeTests {
    @Test("Mean, tolerance and chances are those of the rule")
    func rule() throws {
        var judge = StoppingJudge()
        // Above the mean, 0.99 * 0.01 + 0.01 * 0.5, nothing is drawn.
        #expect(judge.goesOn(score: 0.5) { .nan })
        #expect(abs(judge.mean - 0.0149) < 1e-15 && judge.judged == 1 && judge.tolerance == 0.9)
        // Mean 0.014751 + 0.0001 = 0.014851; 0.01 goes on where u > (1 - 0.01 / 0.014851) / 0.9 = 0.36294.
        for (uniform, wanted) in [(0.36, false), (0.37, true)] {
            var next = judge
            #expect(next.goesOn(score: 0.01) { uniform } == wanted)
            #expect(abs(next.mean - 0.014851) < 1e-15)
        }
        // A tenth of the mean and less never does.
        var next = judge
        #expect(!next.goesOn(score: 0.001) { 1 - 0x1p-53 })
    }

    @Test("The tolerance shrinks after 100, 200, 300 and 400 candidates, each counted once")
    func tolerance() throws {
        var judge = StoppingJudge()
        var random = SplitMix(state: 1)
        var passed = 0
        for number in 0..<500 {
            // As formulated, with every candidate counted once.
            let expected = [100, 200, 300, 400].filter { number >= $0 }.count
            passed += judge.goesOn(score: 0.5) { Double(random.next() >> 11) * 0x1p-53 } ? 1 : 0
            let wanted = 0.9 * [1, 0.9, 0.72, 0.504, 0.3024][expected]
            #expect(abs(judge.tolerance - wanted) < 1e-12, "\(number)")
        }
        #expect(abs(judge.tolerance - 0.27216) < 1e-12 && passed == 500)
        let stored = try JSONDecoder().decode(StoppingJudge.self, from: JSONEncoder().encode(judge))
        #expect(stored == judge)
    }
}
