// Writes the lines of a head behind what a string holds already: its room is made once, not with each piece.
#pragma once

#include "gateway/canonical/field.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::http {

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
        std::memcpy(out_.data() + end_, text.data(), text.size());
        end_ += text.size();
    }

    std::string& out_;
    std::size_t end_;
};

}  // namespace sallyport::http
