import Testing
import Torch

/// Gradients against finite differences, in float64.
@Suite struct GradientTests {
    @Test(arguments: [(1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 2), (1, 1, 4)])
    func convolution(stride: Int, dilation: Int, groups: Int) {
        let inputs = [gaussian([2, 4, 7, 6]), gaussian([4, 4 / groups, 3, 3], seed: 2), gaussian([4], seed: 3)]
        let error = gradientError(inputs) {
            conv2d(
                $0[0], weight: $0[1], bias: $0[2], stride: stride, padding: dilation, dilation: dilation,
                groups: groups)
        }
        #expect(error < 1e-6)
    }

    @Test(arguments: [1, 2]) func pools(stride: Int) {
        #expect(gradientError([gaussian([2, 3, 7, 6])]) { averagePool2d($0[0], kernelSize: 3, stride: stride) } < 1e-6)
        #expect(gradientError([gaussian([2, 3, 7, 6])]) { maxPool2d($0[0], kernelSize: 3, stride: stride) } < 1e-6)
    }

    @Test(arguments: [true, false]) func bilinear(alignCorners: Bool) {
        for (height, width) in [(9, 4), (3, 11), (1, 1)] {
            let error = gradientError([gaussian([1, 2, 5, 6])]) {
                interpolateBilinear($0[0], height: height, width: width, alignCorners: alignCorners)
            }
            #expect(error < 1e-6)
        }
    }

    @Test(arguments: [true, false]) func batchNormalisation(training: Bool) {
        let (mean, variance) = (gaussian([3], seed: 8), gaussian([3], seed: 9).pow(2) + 0.5)
        let error = gradientError([gaussian([2, 3, 4, 3]), gaussian([3], seed: 2), gaussian([3], seed: 3)]) {
            batchNorm(
                $0[0], weight: $0[1], bias: $0[2], runningMean: training ? nil : mean,
                runningVariance: training ? nil : variance, training: training, momentum: 0.1, eps: 1e-3)
        }
        #expect(error < 1e-6)
    }

    @Test func elementwise() {
        let x = gaussian([3, 4])
        let positive = gaussian([3, 4], seed: 2).abs() + 0.5
        #expect(gradientError([x]) { $0[0].exp() } < 1e-6)
        #expect(gradientError([positive.detach()]) { $0[0].log() } < 1e-6)
        #expect(gradientError([positive.detach()]) { $0[0].sqrt() } < 1e-6)
        #expect(gradientError([positive.detach()]) { 2 / $0[0] } < 1e-6)
        #expect(gradientError([positive.detach()]) { $0[0].pow(1.5) } < 1e-6)
        #expect(gradientError([x.detach()]) { $0[0].relu() } < 1e-6)
        #expect(gradientError([x.detach()]) { $0[0].sigmoid() } < 1e-6)
        #expect(gradientError([x.detach()]) { $0[0].abs() } < 1e-6)
        #expect(gradientError([x.detach()]) { 1 - $0[0].softmax(1) } < 1e-6)
        #expect(gradientError([x.detach()]) { -$0[0].logSoftmax(0) } < 1e-6)
        #expect(gradientError([x.detach(), positive.detach()]) { $0[0] * $0[1] - $0[0] / $0[1] } < 1e-6)
        #expect(gradientError([x.detach(), positive.detach()]) { $0[0].maximum($0[1]) } < 1e-6)
        #expect(gradientError([x.detach(), gaussian([4, 2])]) { $0[0].matmul($0[1]) } < 1e-6)
    }

    @Test func shapes() {
        let x = gaussian([2, 3, 4, 5])
        #expect(gradientError([x]) { $0[0].permute([0, 2, 3, 1]).reshape([2, -1]).transpose(0, 1) } < 1e-6)
        #expect(gradientError([x]) { $0[0].narrow(1, start: 1, length: 2).flip([2, 3]) } < 1e-6)
        #expect(gradientError([x]) { $0[0].select(0, 1).unsqueeze(0).squeeze(0).indexSelect(2, [4, 0, 0]) } < 1e-6)
        #expect(gradientError([x]) { $0[0].mean([2, 3], keep: true).expand([-1, -1, 3, 3]) } < 1e-6)
        #expect(gradientError([x]) { $0[0].pad([1, 0, 0, 2], value: 3).sum([1]) } < 1e-6)
        #expect(gradientError([x]) { $0[0].repeatInterleave(2, dim: 1).max(3) } < 1e-6)
        #expect(gradientError([x, gaussian([2, 1, 4, 5])]) { concatenate($0, dim: 1).channelsLast() } < 1e-6)
        #expect(gradientError([x, gaussian([2, 3, 4, 5], seed: 4)]) { stack($0, dim: 2) } < 1e-6)
    }

    @Test func crossEntropyGradient() {
        let labels = Tensor([0, 1, 255, 2, 1, 1, 255, 0] as [Int64], shape: [2, 2, 2])
        #expect(gradientError([gaussian([2, 3, 2, 2])]) { crossEntropy($0[0], labels: labels) } < 1e-6)
    }

    @Test func onlyWhatIsAskedFor() {
        let (a, b, c) = (gaussian([3]), gaussian([3], seed: 2), gaussian([3], seed: 3))
        for tensor in [a, b, c] { tensor.requiresGrad = true }
        let found = gradients(of: (a * b).sum(), withRespectTo: [c, a])
        #expect(found[0] == nil)
        #expect(found[1]?.doubles() == b.doubles())
        #expect(a.grad == nil && b.grad == nil)
        (a * b).sum().backward()
        (a * b).sum().backward()
        #expect(isClose(b.grad?.doubles() ?? [], a.doubles().map { 2 * $0 }))
        b.zeroGrad()
        #expect(b.grad == nil)
        #expect(withoutGradients { (a * b).requiresGrad } == false)
        #expect((a * b).requiresGrad)
        #expect(!(a * b).detach().requiresGrad)
    }
}
