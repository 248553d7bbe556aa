#include "gateway/policy/cel/lexer.hpp"

#include "gateway/policy/cel/utf8.hpp"

#include <algorithm>
#include <array>

namespace sallyport::policy::cel {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr int hex_digit(char c) noexcept
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The longest first.
constexpr auto symbols = std::to_array<std::string_view>(
    {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ",", ".", "(", ")", "[", "]", "{", "}"});
constexpr auto keywords = std::to_array<std::string_view>({"true", "false", "null", "in"});

class scanner {
public:
    scanner(std::string_view source, std::deque<std::string>& texts, mistake& wrong) : source_(source), texts_(texts), wrong_(wrong) {}

    std::optional<std::vector<token>> run()
    {
        std::vector<token> tokens;
        for (;;) {
            skip_blanks();
            if (at_ >= source_.size()) break;
            token next;
            next.offset = at_;
            if (!scan_token(next)) return std::nullopt;
            tokens.push_back(next);
        }
        tokens.push_back({token_kind::end, source_.size(), {}});
        return tokens;
    }

private:
    char look(std::size_t ahead = 0) const noexcept { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
    bool ahead(std::string_view text) const noexcept { return source_.substr(at_).starts_with(text); }
    bool fail(std::size_t offset, std::string message)
    {
        wrong_ = {offset, std::move(message)};
        return false;
    }

    void skip_blanks()
    {
        while (at_ < source_.size()) {
            const char c = source_[at_];
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
                ++at_;
            } else if (ahead("//")) {
                while (at_ < source_.size() && source_[at_] != '\n') ++at_;
            } else {
                return;
            }
        }
    }

    bool scan_token(token& next)
    {
        if (const auto opening = string_prefix()) return scan_text(next, *opening);
        const char c = look();
        if (is_letter(c)) return scan_identifier(next);
        if (is_digit(c) || (c == '.' && is_digit(look(1)))) return scan_number(next);
        if (c == '`') return scan_quoted_identifier(next);
        for (const std::string_view symbol : symbols)
            if (ahead(symbol)) {
                next.kind = token_kind::symbol;
                next.text = symbol;
                at_ += symbol.size();
                return true;
            }
        return fail(at_, c == '&' || c == '|' || c == '=' ? "a single '" + std::string(1, c) + "' is no operator of CEL"
                                                          : std::string("a character that CEL does not know"));
    }

    bool scan_identifier(token& next)
    {
        const std::size_t begin = at_;
        while (is_letter(look()) || is_digit(look())) ++at_;
        next.text = source_.substr(begin, at_ - begin);
        next.kind = std::ranges::find(keywords, next.text) != keywords.end() ? token_kind::keyword : token_kind::identifier;
        return true;
    }

    bool scan_quoted_identifier(token& next)
    {
        const std::size_t begin = ++at_;
        while (at_ < source_.size() && source_[at_] != '`' && source_[at_] != '\n') ++at_;
        if (look() != '`') return fail(next.offset, "a quoted name without its end");
        next.kind = token_kind::quoted_identifier;
        next.text = source_.substr(begin, at_ - begin);
        ++at_;
        const bool known = std::ranges::all_of(
            next.text, [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '/' || c == ' '; });
        if (next.text.empty() || !known) return fail(next.offset, "a quoted name has letters, digits and `_.-/ ` only");
        return true;
    }

    bool scan_number(token& next)
    {
        const std::size_t begin = at_;
        next.kind = token_kind::integer;
        if (look() == '0' && (look(1) == 'x' || look(1) == 'X')) {
            at_ += 2;
            if (hex_digit(look()) < 0) return fail(begin, "a hexadecimal number without digits");
            while (hex_digit(look()) >= 0) ++at_;
        } else {
            while (is_digit(look())) ++at_;
            if (look() == '.' && is_digit(look(1))) {
                next.kind = token_kind::real;
                ++at_;
                while (is_digit(look())) ++at_;
            }
            const std::size_t sign = look(1) == '+' || look(1) == '-' ? 1 : 0;
            if ((look() == 'e' || look() == 'E') && is_digit(look(1 + sign))) {
                next.kind = token_kind::real;
                at_ += 1 + sign;
                while (is_digit(look())) ++at_;
            }
        }
        next.text = source_.substr(begin, at_ - begin);
        if (next.kind == token_kind::integer && (look() == 'u' || look() == 'U')) {
            next.kind = token_kind::natural;
            ++at_;
        }
        if (is_letter(look())) return fail(at_, "a number runs into a name");
        return true;
    }

    struct quote {
        std::size_t prefix = 0;  // letters before it
        bool raw = false, bytes = false;
    };

    std::optional<quote> string_prefix() const noexcept
    {
        quote q;
        if (look(q.prefix) == 'b' || look(q.prefix) == 'B') {
            q.bytes = true;
            ++q.prefix;
        }
        if (look(q.prefix) == 'r' || look(q.prefix) == 'R') {
            q.raw = true;
            ++q.prefix;
        }
        const char c = look(q.prefix);
        if (c != '"' && c != '\'') return std::nullopt;
        return q;
    }

    bool scan_text(token& next, const quote& q)
    {
        at_ += q.prefix;
        const char mark = look();
        const bool triple = look(1) == mark && look(2) == mark;
        const std::string end(triple ? 3 : 1, mark);
        at_ += end.size();
        std::string decoded;
        while (!ahead(end)) {
            if (at_ >= source_.size() || (!triple && (look() == '\n' || look() == '\r')))
                return fail(next.offset, "a string without its end");
            if (look() == '\\' && !q.raw) {
                if (!escape(decoded, q.bytes)) return false;
            } else {
                decoded.push_back(source_[at_++]);
            }
        }
        at_ += end.size();
        next.kind = q.bytes ? token_kind::bytes : token_kind::string;
        next.text = texts_.emplace_back(std::move(decoded));
        return true;
    }

    bool escape(std::string& out, bool bytes)
    {
        constexpr std::string_view names = "abfnrtv\\?\"'`";
        constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\?\"'`";
        const std::size_t begin = at_++;
        const char c = look();
        if (const std::size_t i = names.find(c); c != '\0' && i != std::string_view::npos) {
            out.push_back(meanings[i]);
            ++at_;
            return true;
        }
        if (c >= '0' && c <= '3') return number_escape(out, bytes, begin, 3, 8);
        ++at_;
        if (c == 'x' || c == 'X') return number_escape(out, bytes, begin, 2, 16);
        if (c == 'u' && !bytes) return number_escape(out, bytes, begin, 4, 16);
        if (c == 'U' && !bytes) return number_escape(out, bytes, begin, 8, 16);
        return fail(begin, "an escape that CEL does not know");
    }

    bool number_escape(std::string& out, bool bytes, std::size_t begin, int digits, int base)
    {
        std::uint32_t value = 0;
        for (int i = 0; i < digits; ++i, ++at_) {
            const int digit = hex_digit(look());
            if (digit < 0 || digit >= base) return fail(begin, "an escape with too few digits");
            value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
        }
        if (bytes) {
            out.push_back(static_cast<char>(static_cast<std::uint8_t>(value)));
            return true;
        }
        if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return fail(begin, "an escape that is no Unicode character");
        append_utf8(out, value);
        return true;
    }

    std::string_view source_;
    std::size_t at_ = 0;
    std::deque<std::string>& texts_;
    mistake& wrong_;
};

}  // namespace

std::optional<std::vector<token>> scan(std::string_view source, std::deque<std::string>& texts, mistake& wrong)
{
    for (std::size_t at = 0; at < source.size();) {
        const code_point c = first_code_point(source.substr(at));
        if (!c.valid) {
            wrong = {at, "an expression must be UTF-8"};
            return std::nullopt;
        }
        at += c.size;
    }
    return scanner(source, texts, wrong).run();
}

}  // namespace sallyport::policy::cel
