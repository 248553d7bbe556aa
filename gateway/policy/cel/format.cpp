#include "gateway/policy/cel/format.hpp"

#include "gateway/policy/cel/text.hpp"
#include "gateway/policy/cel/utf8.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::policy::cel {
namespace {

constexpr std::size_t most_precision = 100;

class formatter {
public:
    formatter(workspace& work, const value& arguments) : work_(work), arguments_(arguments) {}

    value run(std::string_view pattern)
    {
        if (!work_.spend(text_work(pattern.size()))) return workspace::exhausted();
        while (!pattern.empty()) {
            const std::size_t plain = std::min(pattern.find('%'), pattern.size());
            out_ += pattern.substr(0, plain);
            pattern.remove_prefix(plain);
            if (pattern.empty()) break;
            pattern.remove_prefix(1);
            if (pattern.starts_with('%')) {
                out_.push_back('%');
                pattern.remove_prefix(1);
                continue;
            }
            if (const value done = clause(pattern); done.failed()) return done;
            if (!work_.spend(text_work(out_.size() - counted_))) return workspace::exhausted();
            counted_ = out_.size();
        }
        return value::of(work_.keep(out_));
    }

private:
    value clause(std::string_view& pattern)
    {
        std::optional<int> precision;
        if (pattern.starts_with('.')) {
            int digits = 0;
            const auto [end, error] = std::from_chars(pattern.data() + 1, pattern.data() + pattern.size(), digits);
            if (error != std::errc{} || digits < 0 || static_cast<std::size_t>(digits) > most_precision)
                return value::error("a precision that cannot be");
            precision = digits;
            pattern.remove_prefix(static_cast<std::size_t>(end - pattern.data()));
        }
        if (pattern.empty()) return value::error("a formatting clause without its end");
        const char letter = pattern.front();
        pattern.remove_prefix(1);
        if (std::string_view("sdfeboxX").find(letter) == std::string_view::npos) return value::error("unrecognized formatting clause");
        if (next_ >= list_size(arguments_)) return work_.fail("too few arguments to format: index out of range: ", std::to_string(next_));
        const value v = list_at(arguments_, next_++);
        switch (letter) {
        case 's': return text(v, 0);
        case 'd': return decimal(v);
        case 'f': return floating(v, precision.value_or(6), std::chars_format::fixed);
        case 'e': return floating(v, precision.value_or(6), std::chars_format::scientific);
        case 'b': return binary(v);
        case 'o': return octal(v);
        default: return hexadecimal(v, letter == 'X');
        }
    }

    value done() const noexcept { return value::of(true); }
    value refuse(std::string_view what, const value& v)
    {
        return work_.fail("error during formatting: " + std::string(what) + ", was given ", type_name(v));
    }

    value text(const value& v, int depth)
    {
        if (depth > 80 || !work_.spend(1)) return workspace::exhausted();
        switch (v.kind()) {
        case kind::null: out_ += "null"; return done();
        case kind::boolean: out_ += v.boolean() ? "true" : "false"; return done();
        case kind::integer: out_ += std::to_string(v.integer()); return done();
        case kind::natural: out_ += std::to_string(v.natural()); return done();
        case kind::real: out_ += double_text(v.real()); return done();
        case kind::bytes:
            if (!is_utf8(v.text())) return value::error("invalid UTF-8");
            out_ += v.text();
            return done();
        case kind::string:
        case kind::type: out_ += v.text(); return done();
        case kind::duration: out_ += duration_text(v.duration()); return done();
        case kind::timestamp: out_ += timestamp_text(v.seconds(), v.nanoseconds()); return done();
        case kind::list:
        case kind::json_array: return list_text(v, depth);
        case kind::map:
        case kind::json_object: return map_text(v, depth);
        case kind::error:
        case kind::optional:
        case kind::object: break;
        }
        return refuse("string clause cannot show this", v);
    }

    value list_text(const value& v, int depth)
    {
        out_.push_back('[');
        for (std::size_t i = 0; i < list_size(v); ++i) {
            if (i > 0) out_ += ", ";
            if (const value shown = text(list_at(v, i), depth + 1); shown.failed()) return shown;
        }
        out_.push_back(']');
        return done();
    }

    // In the order of the keys' texts.
    value map_text(const value& v, int depth)
    {
        std::vector<std::pair<std::string, std::size_t>> keys;
        for (std::size_t i = 0; i < map_size(v); ++i) {
            std::string outer = std::exchange(out_, {});
            const value shown = text(map_key(v, i), depth + 1);
            keys.emplace_back(std::exchange(out_, std::move(outer)), i);
            if (shown.failed()) return shown;
        }
        std::ranges::sort(keys);
        out_.push_back('{');
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (i > 0) out_ += ", ";
            out_ += keys[i].first + ": ";
            if (const value shown = text(map_content(v, keys[i].second), depth + 1); shown.failed()) return shown;
        }
        out_.push_back('}');
        return done();
    }

    value decimal(const value& v)
    {
        if (v.is_number()) return text(v, 0);
        return refuse("decimal clause can only be used on numbers", v);
    }

    value floating(const value& v, int precision, std::chars_format form)
    {
        if (!v.is_number()) return refuse("fixed-point and scientific clauses can only be used on numbers", v);
        const double d = v.is(kind::real)      ? v.real()
                         : v.is(kind::integer) ? static_cast<double>(v.integer())
                                               : static_cast<double>(v.natural());
        if (!std::isfinite(d)) {
            out_ += double_text(d);
            return done();
        }
        std::array<char, 512> digits{};
        const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), d, form, precision);
        out_.append(digits.data(), written.ptr);
        return done();
    }

    void whole(bool negative, std::uint64_t magnitude, int base, bool upper = false)
    {
        std::array<char, 72> digits{};
        const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
        if (upper)
            std::transform(digits.data(), written.ptr, digits.data(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        if (negative) out_.push_back('-');
        out_.append(digits.data(), written.ptr);
    }
    bool whole(const value& v, int base, bool upper = false)
    {
        if (v.is(kind::natural)) {
            whole(false, v.natural(), base, upper);
            return true;
        }
        if (!v.is(kind::integer)) return false;
        const std::int64_t n = v.integer();
        whole(n < 0, n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n), base, upper);
        return true;
    }

    value binary(const value& v)
    {
        if (v.is(kind::boolean)) {
            out_.push_back(v.boolean() ? '1' : '0');
            return done();
        }
        return whole(v, 2) ? done() : refuse("only integers and bools can be formatted as binary", v);
    }
    value octal(const value& v) { return whole(v, 8) ? done() : refuse("octal clause can only be used on integers", v); }
    value hexadecimal(const value& v, bool upper)
    {
        if (v.is(kind::string) || v.is(kind::bytes)) {
            const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
            for (const char c : v.text()) {
                const auto byte = static_cast<std::uint8_t>(c);
                out_.push_back(digits[byte >> 4]);
                out_.push_back(digits[byte & 15]);
            }
            return done();
        }
        return whole(v, 16, upper) ? done() : refuse("only integers, byte buffers, and strings can be formatted as hex", v);
    }

    workspace& work_;
    const value& arguments_;
    std::size_t next_ = 0;
    std::size_t counted_ = 0;
    std::string out_;
};

}  // namespace

value format(workspace& work, std::string_view pattern, const value& arguments) { return formatter(work, arguments).run(pattern); }

}  // namespace sallyport::policy::cel
