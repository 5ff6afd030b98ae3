import Testing
import Torch

/// The texts are those that PyTorch 2 prints, but for the shape, which PyTorch leaves out.
@Suite("Printed tensors")
struct TensorDescriptionTests {
    @Test("Values, shape and kind are there")
    func small() {
        #expect(
            "\(Tensor([0, 0.5, 1, 1.5] as [Float], shape: [2, 2]))" == """
                tensor([[0.0000, 0.5000],
                        [1.0000, 1.5000]], shape: [2, 2], float32)
                """)
        #expect("\(Tensor([1, -20, 3] as [Int64], shape: [3]))" == "tensor([  1, -20,   3], shape: [3], int64)")
        #expect("\(Tensor([2.5] as [Double], shape: []))" == "tensor(2.5000, shape: [], float64)")
        #expect("\(Tensor.zeros([0, 3]))" == "tensor([], shape: [0, 3], float32)")
        #expect("\(Tensor([0, 2] as [Double], shape: [2]).equals(2))" == "tensor([false,  true], shape: [2], bool)")
        #expect("\(Tensor([1, 2] as [UInt8], shape: [1, 1, 2]))" == "tensor([[[1, 2]]], shape: [1, 1, 2], uint8)")
        #expect(
            "\(Tensor([1, 2] as [UInt8], shape: [2, 1, 1]))" == """
                tensor([[[1]],

                        [[2]]], shape: [2, 1, 1], uint8)
                """)
    }

    @Test("Values of very different size have exponents, and what is no number is told")
    func numbers() {
        #expect(
            "\(Tensor([1e-6, 1] as [Double], shape: [2]))" == "tensor([1.0000e-06, 1.0000e+00], shape: [2], float64)")
        let odd = Tensor([.nan, .infinity, -.infinity, 1] as [Double], shape: [4])
        #expect("\(odd)" == "tensor([   nan,    inf,   -inf, 1.0000], shape: [4], float64)")
        let weight = Tensor.ones([2])
        weight.requiresGrad = true
        #expect("\(weight)" == "tensor([1.0000, 1.0000], shape: [2], float32)")
    }

    @Test("Of a large tensor the ends are shown")
    func large() {
        let long = Tensor((0..<2_000).map { Int64($0) }, shape: [2_000])
        #expect("\(long)" == "tensor([   0,    1,    2, ..., 1997, 1998, 1999], shape: [2000], int64)")
        let wide = Tensor((0..<2_000).map { Int64($0) }, shape: [2, 1_000])
        #expect(
            "\(wide)" == """
                tensor([[   0,    1,    2, ...,  997,  998,  999],
                        [1000, 1001, 1002, ..., 1997, 1998, 1999]], shape: [2, 1000], int64)
                """)
        #expect("\(Tensor.zeros([8, 64, 129, 129]))".count < 20_000)
        #expect("\(Tensor.zeros([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]))".hasPrefix("tensor(..., shape: [2, "))
    }
}
