// A credential in an answer: the same comes out however the answer is cut, and as it is written it never does.
#include "gateway/forward/redaction.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <string>

using namespace sallyport;
using fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::input in(data, size);
    const std::size_t piece = 1 + in.number(9);
    std::string secret(in.take(1 + in.number(12)));
    // What can be a field's value (identity/standing.cpp).
    for (char& c : secret) c = static_cast<char>(0x21 + static_cast<unsigned char>(c) % 94);
    const forward::credential_forms forms("Bearer " + secret, secret);
    const std::string_view text = in.rest();
    const std::string whole = forms.redact(text);
    must(forms.found_in(text) == (whole != text) || text.find(forward::redacted) != std::string_view::npos, "found, and not replaced");
    std::string cut;
    forward::redactor one(forms);
    for (std::size_t at = 0; at < text.size(); at += piece) cut += one.feed(text.substr(at, piece));
    cut += one.finish();
    must(cut == whole, "another answer, cut otherwise");
    if (!secret.empty() && text.find(secret) != std::string_view::npos) must(whole != text, "the credential itself is passed on");
    return 0;
}
