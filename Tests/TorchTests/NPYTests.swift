import Foundation
import TestSupport
import Testing
import Torch

@Suite struct NPYTests {
    @Test(.enabled(if: Python.has("numpy"), "there is no .venv with numpy: run scripts/setup.sh --venv"))
    func numpyReadsIt() throws {
        let folder = try TemporaryFolder()
        for shape in [[2, 3, 5], [7], [1, 1]] {
            let values = (0..<shape.reduce(1, *)).map { Float($0) / 4 - 1 }
            let tensor = Tensor(values, shape: shape)
            let path = folder.file("a.npy")
            // Read in another order than it lies in memory.
            try (shape.count == 3 ? tensor.permute([2, 0, 1]) : tensor).saveNPY(to: path)
            let seen = try Python.run(
                "import sys, numpy; a = numpy.load(sys.argv[1]); print(a.dtype, a.shape, a.ravel().tolist())", path)
            let wanted = (shape.count == 3 ? tensor.permute([2, 0, 1]) : tensor).contiguous()
            let sizes = wanted.shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
            let list = wanted.floats().map { "\($0)" }.joined(separator: ", ")
            #expect(seen == "float32 (\(sizes)) [\(list)]\n")
        }
    }
}
