import Glibc

/// How threads of libtorch wait for each other: they spin for microseconds and then sleep, so that a machine with other work
/// loses no time. `CTorch/waiting.cpp` has the reasons, and does the same for a program that is started by hand.
public enum ThreadWaiting {
  /// Variables for the environment of a program that links libtorch; started with them, it need not start itself anew.
  /// None where the environment says already how threads wait.
  public static var variables: [String: String] {
    let isStated = getenv("GOMP_SPINCOUNT") != nil || getenv("OMP_WAIT_POLICY") != nil
    return isStated ? [:] : ["GOMP_SPINCOUNT": "3000"]
  }
}
