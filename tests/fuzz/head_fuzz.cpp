// Heads and what follows them: however the bytes arrive, the same messages are read, and a head's views stay good while
// its body comes.
#include "gateway/http/incoming.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::http;
using fuzz::must;

namespace {

std::string about(const request_head& h) { return std::string(h.method) + ' ' + std::string(h.target) + ' ' + std::string(h.host); }
std::string about(const response_head& h) { return std::to_string(h.status) + ' ' + std::string(h.reason) + (h.no_body ? " no body" : ""); }

template <class Head>
std::string described(const Head& head)
{
    std::string text = about(head) + (head.chunked ? " chunked" : "") + (head.keep_alive ? " kept" : "");
    for (const field& one : head.fields) text += '\n' + std::string(one.name) + '=' + std::string(one.value);
    return text;
}

template <class Head>
std::vector<std::string> read_all(std::string_view bytes, std::size_t first, std::size_t piece)
{
    buffer_pool pool;
    incoming<Head> in(pool, 16 << 10);
    std::vector<std::string> seen;
    std::string before, body;
    for (std::size_t size = first; !bytes.empty(); size = piece) {
        const std::span<char> room = in.room(in.has_head() ? size : 0);
        must(!room.empty(), "there is no room");
        const std::size_t n = std::min({room.size(), std::max<std::size_t>(size, 1), bytes.size()});
        std::memcpy(room.data(), bytes.data(), n);
        in.received(n);
        bytes.remove_prefix(n);
        for (;;) {
            if (!in.has_head()) {
                const auto complete = in.parse();
                if (!complete) {
                    seen.push_back("refused: " + complete.error().detail);
                    return seen;
                }
                if (!*complete) break;
                before = described(in.head());
                body.clear();
            }
            must(described(in.head()) == before, "the head's views have moved");
            const std::size_t length = std::min<std::uint64_t>(in.head().content_length.value_or(0), 4096);
            const std::string_view part = in.rest().substr(0, length - body.size());
            body += part;
            in.consume(part.size());
            if (body.size() < length) break;
            seen.push_back(before + '\n' + body);
            in.next();
            if (in.rest().empty()) break;
        }
    }
    return seen;
}

template <class Head>
void look(std::string_view bytes)
{
    const auto whole = read_all<Head>(bytes, bytes.size(), bytes.size());
    for (std::size_t at = 1; at < bytes.size(); ++at)
        must(read_all<Head>(bytes, at, bytes.size()) == whole, "another reading of the same bytes, cut in two");
    must(read_all<Head>(bytes, 1, 1) == whole, "another reading of the same bytes, one by one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::input in(data, size);
    if (in.number(2) == 0)
        look<request_head>(in.rest());
    else
        look<response_head>(in.rest());
    return 0;
}
