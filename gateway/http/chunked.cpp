#include "gateway/http/chunked.hpp"

#include "gateway/http/characters.hpp"

#include <algorithm>

namespace sallyport::http {
namespace {

constexpr std::uint16_t max_trailer_bytes = 4096;

int hex_value(char c) noexcept
{
    if (detail::is_digit(c)) return c - '0';
    const char l = detail::lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

}  // namespace

result<chunk_decoder::piece> chunk_decoder::next(std::string_view input)
{
    const auto refuse = [](const char* why) { return fail(problem::malformed_request, why); };
    std::size_t at = 0;
    while (at < input.size()) {
        if (where_ == where::data) {
            const std::string_view data = input.substr(at, std::min<std::uint64_t>(left_, input.size() - at));
            left_ -= data.size();
            if (left_ == 0) where_ = where::data_cr;
            return piece{at + data.size(), data};
        }
        const char c = input[at++];
        switch (where_) {
        case where::size:
            if (const int value = hex_value(c); value >= 0) {
                // 15 digits fit; leading zeros count, so that a size line is bounded as well.
                if (++digits_ > 15) return refuse("a chunk's size is too long");
                left_ = left_ * 16 + static_cast<std::uint64_t>(value);
            } else if (c == '\r' && digits_ > 0) {
                where_ = where::size_lf;
            } else {
                // Signs, `0x`, white space, and extensions (RFC 9112 §7.1.1), which nobody uses but smugglers.
                return refuse("a chunk's size is not hex digits alone");
            }
            break;
        case where::size_lf:
            if (c != '\n') return refuse("a chunk's size does not end with CR LF");
            digits_ = 0;
            where_ = left_ == 0 ? where::trailer_start : where::data;
            break;
        case where::data_cr:
            if (c != '\r') return refuse("a chunk is longer than its size");
            where_ = where::data_lf;
            break;
        case where::data_lf:
            if (c != '\n') return refuse("a chunk does not end with CR LF");
            where_ = where::size;
            break;
        case where::trailer_start:
            colon_ = false;
            if (c == '\r') {
                where_ = where::last_lf;
                break;
            }
            // Trailer fields are dropped (RFC 9110 §6.5.1), but what is not a field line is no trailer.
            if (!detail::is_tchar(c)) return refuse("a trailer field's name is not a token");
            ++trailer_bytes_;
            where_ = where::trailer;
            break;
        case where::trailer:
            if (++trailer_bytes_ > max_trailer_bytes) return refuse("the trailer section is too large");
            if (c == '\r') {
                if (!colon_) return refuse("a trailer line is not a field");
                where_ = where::trailer_lf;
            } else if (!colon_) {
                if (c == ':')
                    colon_ = true;
                else if (!detail::is_tchar(c))
                    return refuse("a trailer field's name is not a token");
            } else if (detail::has_control({&c, 1})) {
                return refuse("a trailer field's value has a control character");
            }
            break;
        case where::trailer_lf:
            if (c != '\n') return refuse("a trailer line does not end with CR LF");
            where_ = where::trailer_start;
            break;
        case where::last_lf:
            if (c != '\n') return refuse("the body does not end with CR LF");
            where_ = where::done;
            return piece{at, {}};
        case where::data:
        case where::done: return refuse("bytes behind the body's end");
        }
    }
    return piece{at, {}};
}

chunk_size_line::chunk_size_line(std::size_t size) noexcept : begin_(capacity)
{
    text_[--begin_] = '\n';
    text_[--begin_] = '\r';
    do {
        text_[--begin_] = "0123456789abcdef"[size & 15];
        size >>= 4;
    } while (size != 0);
}

}  // namespace sallyport::http
