"""Has llama.cpp, unmodified within the package xllamacpp, continue a prompt with two GGUF files and compares: the likeliest
tokens with their probabilities, and what is drawn with the copy as it comes and with the original at a temperature.

    llama_cpp.py ORIGINAL COPY TEMPERATURE
"""
import sys

import xllamacpp


def run(path, **options):
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx, parameters.n_parallel, parameters.warmup = 24, 1, False
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)
    answer = server.handle_completions({"prompt": "A ship", "max_tokens": 16, "seed": 7, "logprobs": 1, **options})
    assert answer["usage"]["completion_tokens"] == 16, answer
    return answer["choices"][0]["text"], answer["choices"][0]["logprobs"]


original, copy, temperature = sys.argv[1:]
if run(original, temperature=0) == run(copy, temperature=0):
    print("the same 16 tokens, with the same probabilities")
drawn = run(copy)
if drawn == run(original, temperature=float(temperature)) and drawn != run(original):
    print("drawn at the temperature that the copy names")
