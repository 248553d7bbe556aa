// The chunked coding: however the bytes arrive, the same body ends at the same byte.
#include "gateway/http/chunked.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <string>

using namespace sallyport;
using fuzz::must;

namespace {

struct decoded {
    std::string body;
    std::size_t used = 0;
    enum class how { wants_more, done, refused } end = how::wants_more;
    friend bool operator==(const decoded&, const decoded&) = default;
};

decoded decode(std::string_view bytes, std::size_t piece)
{
    decoded all;
    http::chunk_decoder chunks;
    for (std::size_t from = 0; from < bytes.size();) {
        std::string_view there = bytes.substr(from, piece);
        from += there.size();
        while (!there.empty()) {
            const auto read = chunks.next(there);
            if (!read) {
                all.end = decoded::how::refused;
                all.used = 0;  // at which byte of a piece is not said
                return all;
            }
            must(read->used > 0 && read->used <= there.size(), "more was used than was there, or nothing");
            must(read->data.empty() ||
                     (read->data.data() >= there.data() && read->data.data() + read->data.size() <= there.data() + there.size()),
                 "the data lies elsewhere");
            all.body += read->data;
            all.used += read->used;
            there.remove_prefix(read->used);
            if (chunks.done()) {
                all.end = decoded::how::done;
                return all;
            }
        }
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const decoded whole = decode(bytes, bytes.size());
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u}) must(decode(bytes, piece) == whole, "another reading of the same bytes");
    if (whole.end != decoded::how::done || whole.body.empty()) return 0;
    const std::string again = std::string(std::string_view(http::chunk_size_line(whole.body.size()))) + whole.body +
                              std::string(http::chunk_end) + std::string(http::last_chunk);
    const decoded second = decode(again, again.size());
    must(second.end == decoded::how::done && second.body == whole.body && second.used == again.size(), "what was written is not read");
    return 0;
}
