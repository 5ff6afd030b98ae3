import Foundation
import SearchSpace
import Testing

/// What holds of every operator, also of one that is added, and what no compiler finds.
@Suite struct OperatorTests {
    @Test func noTwoAreTheSame() {
        #expect(Set(Operator.allCases.map(\.form)).count == Operator.allCases.count)
    }

    @Test func formsByHand() {
        #expect(
            Operator.allCases.map(\.form) == [
                .separable(kernel: 3), .separable(kernel: 5), .atrous(kernel: 3, rate: 2), .atrous(kernel: 5, rate: 2),
                .pool(.average, kernel: 3), .pool(.maximum, kernel: 3), .skip, .none,
            ])
        #expect(Operator.allCases.filter { !$0.isDroppable } == [.skip, .none])
    }

    /// The supernet sums alpha's columns in this order: normalised maps, the state itself, nothing.
    @Test func skipAndNoneAreTheLastColumns() {
        #expect(Operator.allCases.suffix(2) == [.skip, .none])
        #expect(Operator.allCases.dropLast(2).allSatisfy { $0.kernelSize != nil })
    }

    /// Padding by half of the window keeps a map's size where the window is odd.
    @Test(arguments: Operator.allCases) func windowsAreOddAndNamed(op: Operator) {
        guard let kernel = op.kernelSize else { return }
        #expect(kernel % 2 == 1 && op.rawValue.hasSuffix("\(kernel)x\(kernel)"))
    }

    @Test(arguments: Operator.allCases) func isInTheTableOfTheAlgorithm(op: Operator) throws {
        let root = #filePath.components(separatedBy: "/Tests/")[0]
        let lines = try String(contentsOfFile: root + "/docs/ALGORITHM.md", encoding: .utf8).split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("|") && $0.contains("`\(op.rawValue)`") })
    }
}
