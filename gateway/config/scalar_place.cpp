#include "gateway/config/scalar_place.hpp"

#include <algorithm>

namespace sallyport::config::yaml {
namespace {

bool blank(char c) noexcept { return c == ' ' || c == '\t'; }

// How many bytes the character takes that begins with `c`.
std::size_t width(char c) noexcept
{
    const auto b = static_cast<unsigned char>(c);
    return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
}

// Walks the decoded text and the file side by side. Both ends only grow, so a walk is linear.
struct walk {
    std::string_view file;
    std::string_view text;
    std::size_t from = 0;  // next byte of the file
    std::size_t to = 0;    // next byte of the text

    char in_file(std::size_t ahead = 0) const noexcept { return from + ahead < file.size() ? file[from + ahead] : '\0'; }
    char in_text() const noexcept { return to < text.size() ? text[to] : '\0'; }
    bool done() const noexcept { return to >= text.size(); }
    bool line_ends() const noexcept { return in_file() == '\n' || from >= file.size(); }

    // A line break within a plain or quoted scalar: blanks around it go, one break is a space, more are one fewer breaks.
    bool at_fold() const noexcept
    {
        std::size_t ahead = 0;
        while (blank(in_file(ahead))) ++ahead;
        return in_file(ahead) == '\n';
    }
    void skip_breaks(std::size_t& breaks) noexcept
    {
        breaks = 0;
        while (blank(in_file()) || in_file() == '\n') breaks += file[from++] == '\n' ? 1U : 0U;
    }
    bool fold() noexcept
    {
        std::size_t breaks = 0;
        skip_breaks(breaks);
        if (breaks == 1) return in_text() == ' ' && ++to;
        for (std::size_t i = 1; i < breaks; ++i, ++to)
            if (in_text() != '\n') return false;
        return true;
    }
    bool same() noexcept
    {
        if (in_file() != in_text()) return false;
        ++from, ++to;
        return true;
    }

    // One character of a double-quoted scalar (§5.7); what gives nothing has been skipped before.
    bool escape() noexcept
    {
        const char c = in_file(1);
        const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        from += 2 + digits;
        to += width(in_text());
        return true;
    }
    // `\` at the end of a line: the break and the blanks behind it give nothing, further breaks give themselves.
    bool escaped_break() noexcept
    {
        ++from;
        std::size_t breaks = 0;
        skip_breaks(breaks);
        for (std::size_t i = 1; i < breaks; ++i, ++to)
            if (in_text() != '\n') return false;
        return true;
    }
};

constexpr std::size_t unknown = static_cast<std::size_t>(-1);

std::size_t in_flow(walk w, enum node::style style, std::size_t offset) noexcept
{
    if (style != node::style::plain) ++w.from;  // the opening quote
    for (;;) {
        if (style == node::style::double_quoted)
            while (w.in_file() == '\\' && w.in_file(1) == '\n')
                if (!w.escaped_break()) return unknown;
        if (w.to >= offset || w.done()) return w.from;
        const std::size_t before = w.from;
        bool right = false;
        if (w.at_fold())
            right = w.fold();
        else if (style == node::style::double_quoted && w.in_file() == '\\')
            right = w.escape();
        else if (style == node::style::single_quoted && w.in_file() == '\'')
            ++w.from, right = w.same();
        else
            right = w.same();
        if (!right) return unknown;
        if (w.to > offset) return before;
    }
}

std::size_t in_block(walk w, enum node::style style, std::size_t offset) noexcept
{
    w.from = std::min(w.file.find('\n', w.from), w.file.size() - 1) + 1;  // behind the header
    std::size_t indent = unknown;
    for (;;) {
        // At the start of a line.
        std::size_t spaces = 0;
        while (w.in_file(spaces) == ' ') ++spaces;
        if (indent == unknown && w.in_text() != '\n') {
            const auto rest = w.text.substr(w.to);
            const std::size_t own = std::min(rest.find_first_not_of(' '), rest.size());
            if (spaces < own) return unknown;
            indent = spaces - own;
        }
        w.from += std::min(spaces, indent);
        while (!w.line_ends() && !w.done()) {
            if (w.to >= offset) return w.from;
            if (!w.same()) return unknown;
        }
        if (w.to >= offset || w.done()) return w.from;

        // At the end of one.
        const std::size_t before = w.from;
        if (w.from >= w.file.size()) return unknown;
        ++w.from;
        if (style == node::style::literal) {
            if (w.in_text() != '\n') return unknown;
            ++w.to;
        } else if (w.in_text() == ' ') {
            ++w.to;
        } else {
            // Folded: as many breaks as there are in the text belong to this one and to the empty lines behind it.
            while (w.in_text() == '\n') ++w.to;
            for (std::size_t end = w.from; end < w.file.size(); ++end) {
                if (w.file[end] == '\n')
                    w.from = end + 1;
                else if (w.file[end] != ' ')
                    break;
            }
        }
        if (w.to > offset) return before;
    }
}

}  // namespace

std::size_t place_of(std::string_view file, const node& scalar, std::size_t offset) noexcept
{
    if (scalar.kind != node::kind::scalar || scalar.begin >= file.size()) return scalar.begin;
    offset = std::min(offset, scalar.text.size());
    const walk start{file, scalar.text, scalar.begin, 0};
    const bool block = scalar.style == node::style::literal || scalar.style == node::style::folded;
    const std::size_t place = block ? in_block(start, scalar.style, offset) : in_flow(start, scalar.style, offset);
    return place == unknown ? scalar.begin : place;
}

}  // namespace sallyport::config::yaml
