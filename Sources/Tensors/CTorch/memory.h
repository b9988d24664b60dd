#pragma once

namespace ctorch {

/// Has tensors of 1 MiB and more of the CPU allocated by memory.cpp, in the whole process.
void use_tensor_allocator();

}  // namespace ctorch
