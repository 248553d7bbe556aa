// The chunked transfer coding (RFC 9112 §7.1), read strictly and written.
#pragma once

#include "workflows/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::http {

/// Reads a chunked body piece by piece; keeps no bytes. Sizes are hex digits and nothing else; chunk extensions and bare
/// line ends are refused, for two parsers could disagree about them; trailer fields are checked, bounded and dropped.
class chunk_decoder {
public:
    struct piece {
        std::size_t used = 0;   // bytes of the input that are done with
        std::string_view data;  // the next bytes of the body, within the input; may be empty
    };
    /// Goes on to the first body bytes, the end of the input, or the end of the body. After a failure
    /// (`malformed_request`) and after `done()` it must not be called again.
    result<piece> next(std::string_view input);
    /// The last chunk and the trailer section were read.
    bool done() const noexcept { return where_ == where::done; }

private:
    enum class where : std::uint8_t { size, size_lf, data, data_cr, data_lf, trailer_start, trailer, trailer_lf, last_lf, done };

    std::uint64_t left_ = 0;  // of the current chunk, or the size as far as it is read
    std::uint16_t digits_ = 0;
    std::uint16_t trailer_bytes_ = 0;
    bool colon_ = false;
    where where_ = where::size;
};

/// `1f4\r\n` in front of a chunk of that many bytes; `size` is not 0 (that would end the body).
class chunk_size_line {
public:
    explicit chunk_size_line(std::size_t size) noexcept;
    // NOLINTNEXTLINE(google-explicit-constructor): it is a text
    operator std::string_view() const noexcept { return {text_.data() + begin_, capacity - begin_}; }

private:
    static constexpr std::size_t capacity = 18;  // 64 bits in hex, CR LF
    std::array<char, capacity> text_{};
    std::size_t begin_;
};
inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace sallyport::http
