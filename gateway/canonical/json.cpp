#include "gateway/canonical/json.hpp"

#include "gateway/canonical/keyed_hash.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport::json {

/// The head of a piece of memory; its bytes follow.
struct document::block {
    block* next = nullptr;
};

namespace {

constexpr std::size_t max_depth = 64;
constexpr std::size_t largest_walked = 16;     // members of an object that are compared one by one
constexpr std::size_t largest_kept = 1 << 12;  // elements of scratch memory that a thread keeps
constexpr std::size_t alignment = 8;
static_assert(alignof(value) <= alignment && alignof(std::string_view) <= alignment && sizeof(value) == 24);

constexpr std::size_t places_for(std::size_t members) noexcept { return std::bit_ceil(members * 2); }

/// What a parse needs besides the document; kept by the thread from one to the next.
struct scratch {
    std::vector<value> values;
    std::vector<std::string_view> keys;
    std::string text;

    void begin() noexcept
    {
        values.clear();
        keys.clear();
        text.clear();
    }
    void end()
    {
        // One large body must not hold its memory for ever.
        if (values.capacity() > largest_kept) std::vector<value>().swap(values);
        if (keys.capacity() > largest_kept) std::vector<std::string_view>().swap(keys);
        if (text.capacity() > largest_kept * 8) std::string().swap(text);
    }
};

scratch& scratch_of_thread()
{
    static thread_local scratch mine;
    return mine;
}

std::string at_byte(std::string what, std::size_t offset)
{
    what += " at byte ";
    what += std::to_string(offset);
    return what;
}

}  // namespace

void document::free_blocks::operator()(block* first) const noexcept
{
    while (first != nullptr) {
        block* next = first->next;
        ::operator delete(first);
        first = next;
    }
}

const value* value::find(std::string_view wanted) const noexcept
{
    if (kind_ != kind::object) return nullptr;
    const std::string_view* const names = keys();
    if (size_ <= largest_walked) {
        for (std::size_t i = 0; i < size_; ++i) {
            if (names[i] == wanted) return &values()[i];
        }
        return nullptr;
    }
    const std::size_t mask = places_for(size_) - 1;
    for (std::size_t place = keyed_hash::of_process()(wanted) & mask; scalar_.places[place] != 0; place = (place + 1) & mask) {
        const std::size_t i = scalar_.places[place] - 1;
        if (names[i] == wanted) return &values()[i];
    }
    return nullptr;
}

/// The handler of boost::json::basic_parser. A value is finished when its end is seen: then its parts leave the
/// scratch stacks for the arena, where they lie side by side.
class document_builder {
public:
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();

    document_builder(std::string_view text, scratch& s) noexcept : text_(text), scratch_(s) {}

    using error_code = boost::json::error_code;
    using view = boost::json::string_view;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code&) { return true; }
    bool on_object_begin(error_code&) { return true; }

    bool on_array_end(std::size_t n, error_code&)
    {
        value v;
        v.kind_ = kind::array;
        v.size_ = static_cast<std::uint32_t>(n);
        v.data_ = keep_values(n, 0);
        scratch_.values.push_back(v);
        return true;
    }

    bool on_object_end(std::size_t n, error_code& ec)
    {
        const std::span<const std::string_view> names(scratch_.keys.data() + (scratch_.keys.size() - n), n);
        value v;
        v.kind_ = kind::object;
        v.size_ = static_cast<std::uint32_t>(n);
        if (n <= largest_walked) {
            for (std::size_t i = 1; i < n; ++i) {
                for (std::size_t j = 0; j < i; ++j) {
                    if (names[i] == names[j]) return twice(names[i], ec);
                }
            }
        } else if (!place_all(names, v, ec)) {
            return false;
        }
        void* const memory = keep_values(n, n * sizeof(std::string_view));
        std::uninitialized_copy_n(names.begin(), n, reinterpret_cast<std::string_view*>(static_cast<value*>(memory) + n));
        scratch_.keys.resize(scratch_.keys.size() - n);
        v.data_ = memory;
        scratch_.values.push_back(v);
        return true;
    }

    bool on_string_part(view s, std::size_t, error_code&) { return part(s); }
    bool on_key_part(view s, std::size_t, error_code&) { return part(s); }

    bool on_key(view s, std::size_t, error_code&)
    {
        scratch_.keys.push_back(whole(s));
        return true;
    }

    bool on_string(view s, std::size_t, error_code&)
    {
        push_text(kind::string, whole(s));
        return true;
    }

    bool on_number_part(view s, error_code&)
    {
        if (number_from_ == nullptr) number_from_ = s.data();
        return true;
    }
    bool on_int64(std::int64_t i, view s, error_code&)
    {
        push_text(kind::integer, number(s)).scalar_.integer = i;
        return true;
    }
    bool on_uint64(std::uint64_t, view s, error_code& ec) { return on_double(0, s, ec); }
    bool on_double(double, view s, error_code& ec)
    {
        // Boost 1.81 does not round correctly: what a rule compares must be the double that every other reader sees.
        const std::string_view text = number(s);
        double d = 0;
        const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), d);
        if (wrong == std::errc::result_out_of_range) {
            // Too large or too small: what is nearest to 0 is 0, what is nearest to infinity is refused.
            d = std::strtod(std::string(text).c_str(), nullptr);
            if (std::isinf(d)) return refuse("a number beyond a double", offset_of(text), ec);
        }
        push_text(kind::real, text).scalar_.real = d;
        return true;
    }
    bool on_bool(bool b, error_code&)
    {
        value v;
        v.kind_ = kind::boolean;
        v.scalar_.boolean = b;
        scratch_.values.push_back(v);
        return true;
    }
    bool on_null(error_code&)
    {
        scratch_.values.emplace_back();
        return true;
    }
    bool on_comment_part(view, error_code&) { return true; }  // never: comments are not allowed
    bool on_comment(view, error_code&) { return true; }

    /// After the parse has succeeded.
    document finish()
    {
        const void* const root = keep_values(1, 0);
        return document(std::move(memory_), static_cast<const value*>(root));
    }

    /// Why a handler above said no.
    const char* refusal() const noexcept { return refusal_; }
    std::optional<std::size_t> refused_at() const noexcept { return refused_at_; }

private:
    bool refuse(const char* why, std::optional<std::size_t> offset, error_code& ec)
    {
        refusal_ = why;
        refused_at_ = offset;
        ec = boost::json::error::syntax;
        return false;
    }
    bool twice(std::string_view name, error_code& ec) { return refuse("a key that its object has already", offset_of(name), ec); }

    /// Where in the text it stands; none for what was decoded.
    std::optional<std::size_t> offset_of(std::string_view s) const noexcept
    {
        const std::less_equal<> le;
        if (!le(text_.data(), s.data()) || !le(s.data(), text_.data() + text_.size())) return std::nullopt;
        return static_cast<std::size_t>(s.data() - text_.data());
    }

    bool part(view s)
    {
        scratch_.text.append(s.data(), s.size());
        return true;
    }
    std::string_view whole(view s)
    {
        const std::string_view last(s.data(), s.size());
        if (scratch_.text.empty() && offset_of(last)) return last;  // no escape in it
        scratch_.text += last;
        char* const copy = static_cast<char*>(take(scratch_.text.size()));
        std::memcpy(copy, scratch_.text.data(), scratch_.text.size());
        const std::string_view kept(copy, scratch_.text.size());
        scratch_.text.clear();
        return kept;
    }
    std::string_view number(view s) noexcept
    {
        const char* const from = number_from_ != nullptr ? number_from_ : s.data();
        number_from_ = nullptr;
        return {from, static_cast<std::size_t>(s.data() + s.size() - from)};
    }
    value& push_text(json::kind k, std::string_view text)
    {
        value v;
        v.kind_ = k;
        v.size_ = static_cast<std::uint32_t>(text.size());
        v.data_ = text.data();
        return scratch_.values.emplace_back(v);
    }

    /// Moves the last `n` values into the arena, with room for `extra` bytes behind them.
    void* keep_values(std::size_t n, std::size_t extra)
    {
        if (n == 0) return nullptr;
        void* const memory = take(n * sizeof(value) + extra);
        std::uninitialized_copy_n(scratch_.values.end() - static_cast<std::ptrdiff_t>(n), n, static_cast<value*>(memory));
        scratch_.values.resize(scratch_.values.size() - n);
        return memory;
    }

    bool place_all(std::span<const std::string_view> names, value& v, error_code& ec)
    {
        const std::size_t count = places_for(names.size());
        auto* const places = static_cast<std::uint32_t*>(take(count * sizeof(std::uint32_t)));
        std::uninitialized_fill_n(places, count, 0U);
        const keyed_hash& hash = keyed_hash::of_process();
        for (std::size_t i = 0; i < names.size(); ++i) {
            std::size_t place = hash(names[i]) & (count - 1);
            for (; places[place] != 0; place = (place + 1) & (count - 1)) {
                if (names[places[place] - 1] == names[i]) return twice(names[i], ec);
            }
            places[place] = static_cast<std::uint32_t>(i + 1);
        }
        v.scalar_.places = places;
        return true;
    }

    void* take(std::size_t bytes)
    {
        bytes = (bytes + alignment - 1) / alignment * alignment;
        if (bytes > left_) add_block(bytes);
        void* const memory = next_;
        next_ += bytes;
        left_ -= bytes;
        return memory;
    }
    void add_block(std::size_t at_least)
    {
        // The first one holds most documents whole; later ones double.
        block_bytes_ =
            block_bytes_ == 0 ? std::clamp<std::size_t>(text_.size() * 2, 256, 1 << 16) : std::min<std::size_t>(block_bytes_ * 2, 1 << 20);
        const std::size_t bytes = std::max(block_bytes_, at_least);
        auto* const added = new (::operator new(sizeof(document::block) + bytes)) document::block{memory_.release()};
        memory_.reset(added);
        next_ = reinterpret_cast<std::byte*>(added + 1);
        left_ = bytes;
    }

    std::string_view text_;
    scratch& scratch_;
    document::arena memory_;
    std::byte* next_ = nullptr;
    std::size_t left_ = 0;
    std::size_t block_bytes_ = 0;
    const char* number_from_ = nullptr;
    const char* refusal_ = nullptr;
    std::optional<std::size_t> refused_at_;
};

namespace {

const char* describe(const boost::json::error_code& ec)
{
    using boost::json::error;
    if (ec == error::incomplete) return "the text ends too early,";
    if (ec == error::too_deep) return "more than 64 levels,";
    if (ec == error::exponent_overflow) return "a number beyond a double";
    if (ec == error::illegal_leading_surrogate || ec == error::illegal_trailing_surrogate || ec == error::expected_utf16_escape)
        return "half of a surrogate pair";
    return "no JSON";
}

}  // namespace

result<document> document::parse(std::string_view text)
{
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) return fail(problem::malformed_request, "the JSON text is too large");
    if (text.starts_with("\xEF\xBB\xBF")) return fail(problem::malformed_request, at_byte("a byte order mark", 0));

    scratch& s = scratch_of_thread();
    s.begin();
    boost::json::parse_options options;
    options.max_depth = max_depth;
    boost::json::basic_parser<document_builder> parser(options, text, s);
    boost::json::error_code ec;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
    document_builder& built = parser.handler();
    if (ec) {
        s.end();
        if (built.refusal() != nullptr)
            return fail(problem::malformed_request, at_byte(built.refusal(), built.refused_at().value_or(read)));
        return fail(problem::malformed_request, at_byte(describe(ec), read));
    }
    if (read != text.size()) {
        s.end();
        return fail(problem::malformed_request, at_byte("text behind the JSON value", read));
    }
    document done = built.finish();
    s.end();
    return done;
}

}  // namespace sallyport::json
