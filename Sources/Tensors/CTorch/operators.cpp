// Calling operators by name through libtorch's dispatcher.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <vector>

#include "boundary.h"
#include "ctorch.h"
#include "tensors.h"

namespace ctorch {
namespace {

c10::IValue to_ivalue(const ctorch_value &value) {
  switch (value.kind) {
    case CTORCH_NONE: return {};
    case CTORCH_TENSOR: return unwrap(value.tensor);
    case CTORCH_INT: return value.integer;
    case CTORCH_DOUBLE: return value.number;
    case CTORCH_BOOL: return value.boolean;
    case CTORCH_STRING: return std::string(value.string);
    case CTORCH_DEVICE: return c10::Device(value.string);
    case CTORCH_INT_LIST: {
      auto items = static_cast<const int64_t *>(value.list.items);
      return std::vector<int64_t>(items, items + value.list.count);
    }
    case CTORCH_TENSOR_LIST: {
      auto items = static_cast<const ctorch_tensor_ref *>(value.list.items);
      c10::List<at::Tensor> list;
      list.reserve(value.list.count);
      for (size_t i = 0; i < value.list.count; i++) list.push_back(unwrap(items[i]));
      return list;
    }
    case CTORCH_OPTIONAL_TENSOR_LIST: {
      auto items = static_cast<const ctorch_tensor_ref *>(value.list.items);
      c10::List<std::optional<at::Tensor>> list;
      list.reserve(value.list.count);
      for (size_t i = 0; i < value.list.count; i++) {
        list.push_back(items[i] ? std::optional<at::Tensor>(unwrap(items[i])) : std::nullopt);
      }
      return list;
    }
  }
  TORCH_CHECK(false, "an argument of unknown kind ", static_cast<int>(value.kind));
}

ctorch_value from_ivalue(const c10::IValue &value) {
  ctorch_value result{};
  if (value.isTensor()) {
    result.kind = CTORCH_TENSOR;
    result.tensor = value.toTensor().defined() ? wrap(value.toTensor()) : nullptr;
  } else if (value.isInt()) {
    result.kind = CTORCH_INT;
    result.integer = value.toInt();
  } else if (value.isDouble()) {
    result.kind = CTORCH_DOUBLE;
    result.number = value.toDouble();
  } else if (value.isBool()) {
    result.kind = CTORCH_BOOL;
    result.boolean = value.toBool();
  } else {
    TORCH_CHECK(value.isNone(), "a result of type ", value.tagKind(), " cannot be returned");
    result.kind = CTORCH_NONE;
  }
  return result;
}

/// Puts the arguments in the schema's order and fills the ones not given with its defaults.
torch::jit::Stack arranged(const c10::FunctionSchema &schema, const ctorch_value *arguments, size_t count) {
  const auto &expected = schema.arguments();
  torch::jit::Stack stack(expected.size());
  std::vector<bool> given(expected.size(), false);
  size_t position = 0;
  for (size_t i = 0; i < count; i++) {
    size_t index = position++;
    if (arguments[i].name) {
      auto found = schema.argumentIndexWithName(arguments[i].name);
      TORCH_CHECK(found, schema.name(), " has no argument named ", arguments[i].name);
      index = static_cast<size_t>(*found);
    }
    TORCH_CHECK(index < expected.size(), schema.name(), " takes at most ", expected.size(), " arguments");
    stack[index] = to_ivalue(arguments[i]);
    given[index] = true;
  }
  for (size_t i = 0; i < expected.size(); i++) {
    if (given[i]) continue;
    TORCH_CHECK(expected[i].default_value(), schema.name(), " needs argument ", expected[i].name());
    stack[i] = *expected[i].default_value();
  }
  return stack;
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

int ctorch_call(const char *name, const char *overload, const ctorch_value *arguments, size_t argument_count,
                ctorch_value *results, size_t capacity, size_t *result_count) {
  return guarded([&] {
    auto op = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
    auto stack = arranged(op.schema(), arguments, argument_count);
    op.callBoxed(&stack);
    // A list of tensors becomes several results: no operator that is called here returns a list beside other results.
    if (stack.size() == 1 && stack[0].isTensorList()) {
      const auto tensors = stack[0].toTensorVector();
      stack.assign(tensors.begin(), tensors.end());
    }
    TORCH_CHECK(stack.size() <= capacity, name, " returns ", stack.size(), " values; room for ", capacity);
    for (size_t i = 0; i < stack.size(); i++) results[i] = from_ivalue(stack[i]);
    *result_count = stack.size();
  });
}
