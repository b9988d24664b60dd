import Glibc
import TestSupport
import Testing
import Torch

/// Memory of tensors of 1 MiB and more, which the C library does not serve (memory.cpp).
@Suite struct MemoryTests {
  /// Numbers of 4 bytes in a MiB.
  private let mebi = 1 << 18

  private func pagesTaken() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_minflt
  }

  @Test func `what is freed serves tensors of about that size`() {
    // The C library gives back what is of such sizes.
    let sizes = [48, 47, 46, 48].map { $0 * mebi }
    _ = Tensor.ones([sizes[0]])
    let before = pagesTaken()
    for size in sizes { #expect(Tensor.ones([size])[size - 1..<size].floats == [1]) }
    // Each would be 11,000 pages anew.
    #expect(pagesTaken() - before < 1000)
  }

  @Test func `what is kept and what is used are together no more than was ever used at once`() {
    TorchRuntime.trimMemory()
    let before = memory("VmRSS")
    resetPeak()
    // None finds room where those before it were.
    for step in 0..<14 {
      let size = Int(8 * pow(1.25, Double(step))) * mebi
      #expect(Tensor.ones([size])[size - 1..<size].floats == [1])
    }
    #expect(memory("VmHWM") - before < 180 << 20)
  }

  @Test func `what a further chunk adds to a weight's gradient takes no memory of its own`() {
    let (x, weight) = (Tensor.ones([64, 4096]), Tensor.ones([2048, 4096]).requiringGradient())
    x.linear(weight, computeType: .bfloat16).sum().backward()
    let further = x.linear(weight, computeType: .bfloat16).sum()
    TorchRuntime.trimMemory()
    let before = TorchRuntime.peakMemory
    further.backward()
    #expect(TorchRuntime.peakMemory - before < 8 << 20)
    #expect(weight.gradient![2047..<2048].floats.allSatisfy { $0 == 128 })
  }

  @Test func `a gradient that a product reads is not written meanwhile`() {
    let weight = Tensor.ones([512, 512]).requiringGradient()
    Tensor.ones([512, 512]).linear(weight).sum().backward()
    weight.gradient!.linear(weight).sum().backward()
    #expect(weight.gradient!.floats.allSatisfy { $0 == 512 + 512 * 512 })
  }

  @Test func `many at a time hold what they were given`() {
    // Some of them below what has a mapping of its own, none of a whole number of pages.
    let sizes = [0, 1, mebi - 1, mebi, mebi + 1, 3 * mebi / 2 + 7, 2 * mebi + 1, 9 * mebi + 3]
    for _ in 0..<3 {
      let tensors = sizes.enumerated().map { Tensor.ones([$1]) * Double($0 + 1) }
      for (index, tensor) in tensors.enumerated() {
        #expect(tensor.bytes.count == 4 * sizes[index])
        #expect(tensor.to(.float64).sum().doubles == [Double((index + 1) * sizes[index])])
      }
    }
  }
}
