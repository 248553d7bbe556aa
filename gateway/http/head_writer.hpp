// Writes the lines of a head behind what a string holds already: its room is made once, not with each piece.
#pragma once

#include "gateway/canonical/field.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::http {

/// Fields that frame the message or belong to one connection (RFC 9110 §7.6.1, RFC 9112 §6): whoever writes the head writes
/// them itself.
inline bool frames_message(std::string_view name) noexcept
{
    const auto is = [name](std::string_view other) { return same_ignoring_case(name, other); };
    switch (name.size()) {
    case 2: return is("te");
    case 7: return is("trailer") || is("upgrade");
    case 10: return is("connection") || is("keep-alive");
    case 14: return is("content-length");
    case 16: return is("proxy-connection");
    case 17: return is("transfer-encoding");
    default: return false;
    }
}

/// The string is the writer's until `finish`.
class head_writer {
public:
    /// `room`: bytes that will be written; a guess too small costs time alone.
    head_writer(std::string& out, std::size_t room) : out_(out), end_(out.size()) { out.resize(end_ + room); }

    void put(std::string_view text)
    {
        make_room(text.size());
        copy(text);
    }
    void line(std::string_view name, std::string_view value)
    {
        make_room(name.size() + value.size() + 4);
        copy(name);
        copy(": ");
        copy(value);
        copy("\r\n");
    }
    void number(std::uint64_t value)
    {
        std::array<char, 20> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        put({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    void content_length(std::uint64_t bytes)
    {
        put("Content-Length: ");
        number(bytes);
        put("\r\n");
    }
    void finish() { out_.resize(end_); }

    /// What `line` writes for all of them.
    static std::size_t room_for(std::span<const field> fields) noexcept
    {
        std::size_t sum = 4 * fields.size();
        for (const field& one : fields) sum += one.name.size() + one.value.size();
        return sum;
    }

private:
    void make_room(std::size_t bytes)
    {
        if (out_.size() - end_ < bytes) out_.resize(end_ + std::max(bytes, out_.size()));
    }
    void copy(std::string_view text) noexcept
    {
        end_ += text.copy(out_.data() + end_, text.size());  // knows, as memcpy does not, that an empty text may be nowhere
    }

    std::string& out_;
    std::size_t end_;
};

}  // namespace sallyport::http
