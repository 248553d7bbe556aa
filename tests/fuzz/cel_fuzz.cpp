// Expressions: whatever compiles runs to a value or an error, within its work, and gives the same a second time.
#include "gateway/policy/cel/program.hpp"
#include "gateway/policy/cel/text.hpp"
#include "gateway/policy/facts.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/gateway/policy/call_fixture.hpp"

#include <memory_resource>
#include <string>

using namespace sallyport;
using namespace sallyport::policy;
using fuzz::must;

namespace {

std::string outcome(const cel::program& program, const call_facts& facts)
{
    std::pmr::monotonic_buffer_resource arena;
    cel::workspace work(arena, cel::default_work);
    call_activation activation(facts);
    const cel::value v = program.run(activation, work);
    return v.failed() ? "error: " + std::string(v.text()) : std::string(cel::type_name(v));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static test_call call;
    if (call.body_text.empty()) call.with_body(R"({"amount": 750, "to": ["ada", "grace"], "rate": 2.5, "deep": {"a": [1, {"b": null}]}})");
    static const call_facts facts = call.facts();
    fuzz::input in(data, size);
    cel::compile_options options;
    if (in.number(2) != 0) options.mode = cel::checking::off;
    const std::string_view source = in.rest();
    const cel::compiled made = cel::compile(source, conditions_environment(), options);
    must(made.program.has_value() == made.mistakes.empty(), "neither a program nor a mistake, or both");
    for (const cel::mistake& one : made.mistakes) must(one.offset <= source.size(), "a mistake outside the expression");
    if (!made.program) return 0;
    const std::string first = outcome(*made.program, facts);
    must(outcome(*made.program, facts) == first, "the same call is judged in two ways");
    return 0;
}
