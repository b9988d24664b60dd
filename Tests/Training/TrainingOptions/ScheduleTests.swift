import Testing
import TrainingOptions

@Suite struct ScheduleTests {
  @Test func `a cosine schedule rises to its peak, is half way down in the middle and ends at its floor`() {
    let schedule = Schedule(peak: 1, floor: 0.1, warmup: 4, steps: 24)
    #expect((0..<4).map(schedule.rate) == [0.25, 0.5, 0.75, 1])
    #expect(abs(schedule.rate(13) - 0.55) < 1e-12)
    #expect(abs(schedule.rate(23) - 0.1) < 1e-12)
    #expect((4..<23).allSatisfy { schedule.rate($0) > schedule.rate($0 + 1) })
  }

  @Test func `a constant schedule stays at its peak after the rise`() {
    let schedule = Schedule(.constant, peak: 2e-6, warmup: 2, steps: 10)
    #expect((0..<10).map(schedule.rate) == [1e-6] + Array(repeating: 2e-6, count: 9))
  }

  @Test func `a run that is all warm-up ends at the peak`() {
    #expect(Schedule(peak: 1, floor: 0.5, warmup: 5, steps: 5).rate(4) == 1)
  }
}
