"""Has llama.cpp, unmodified within the package xllamacpp, continue a prompt with two GGUF files and compares.

    llama_cpp.py ORIGINAL COPY
"""
import sys

import xllamacpp


def run(path):
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx, parameters.n_parallel, parameters.warmup = 24, 1, False
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)
    answer = server.handle_completions({"prompt": "A ship", "max_tokens": 16, "temperature": 0, "logprobs": 1})
    assert answer["usage"]["completion_tokens"] == 16, answer
    return answer["choices"][0]["text"], answer["choices"][0]["logprobs"]


if run(sys.argv[1]) == run(sys.argv[2]):
    print("the same 16 tokens, with the same probabilities")
