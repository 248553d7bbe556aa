// CEL values (cel-spec, langdef.md "Values"): sixteen bytes, trivially copied, owning nothing. What they point to lives
// in the program (literals), in the call's facts and JSON body (inputs), or in the evaluation's arena (what was made).
#pragma once

#include "gateway/canonical/json.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::policy::cel {

struct struct_type;  // environment.hpp

enum class kind : std::uint8_t {
    error,  // not a value of CEL: why there is none
    null,
    boolean,
    integer,  // int
    natural,  // uint
    real,     // double
    string,   // UTF-8 where CEL made it; whatever bytes the call had otherwise
    bytes,
    duration,   // nanoseconds in 64 bits, about ±292 years
    timestamp,  // 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z
    type,
    list,
    map,
    optional,
    object,      // `request`, `agent`, `task`: fields are read through the activation
    json_array,  // a list that is still in the document
    json_object,
};

class value;
struct map_entry;

class value {
public:
    /// null
    constexpr value() noexcept : kind_(cel::kind::null), whole_(0) {}

    static value of(bool b) noexcept { return value(cel::kind::boolean, b ? 1 : 0); }
    static value of(std::int64_t i) noexcept { return value(cel::kind::integer, i); }
    static value of(std::uint64_t u) noexcept { return value(cel::kind::natural, static_cast<std::int64_t>(u)); }
    static value of(double d) noexcept
    {
        value v(cel::kind::real, 0);
        v.real_ = d;
        return v;
    }
    /// The characters must outlive the value; beyond 4 GiB they are an error.
    static value of(std::string_view text) noexcept { return of_text(cel::kind::string, text); }
    static value of(const char*) = delete;
    static value of_bytes(std::string_view bytes) noexcept { return of_text(cel::kind::bytes, bytes); }
    static value of_type(std::string_view name) noexcept { return of_text(cel::kind::type, name); }
    static value of_duration(std::int64_t nanoseconds) noexcept { return value(cel::kind::duration, nanoseconds); }
    /// `nanoseconds` of the second, 0 to 999,999,999. Out of CEL's range: an error.
    static value of_timestamp(std::int64_t seconds, std::uint32_t nanoseconds) noexcept;
    static value of_list(std::span<const value> items) noexcept;
    static value of_map(std::span<const map_entry> entries) noexcept;
    /// `content` is null for none.
    static value of_optional(const value* content) noexcept { return value(cel::kind::optional, content, 0); }
    static value of_object(const struct_type* fields) noexcept { return value(cel::kind::object, fields, 0); }
    static value of_json(const json::value&) noexcept;
    /// The message must outlive the value: a literal, or text in the arena.
    static value error(std::string_view message) noexcept { return of_text(cel::kind::error, message); }

    cel::kind kind() const noexcept { return kind_; }
    bool is(cel::kind k) const noexcept { return kind_ == k; }
    bool failed() const noexcept { return kind_ == cel::kind::error; }
    bool is_true() const noexcept { return kind_ == cel::kind::boolean && whole_ != 0; }
    bool is_false() const noexcept { return kind_ == cel::kind::boolean && whole_ == 0; }
    bool is_number() const noexcept { return kind_ >= cel::kind::integer && kind_ <= cel::kind::real; }
    bool is_list() const noexcept { return kind_ == cel::kind::list || kind_ == cel::kind::json_array; }
    bool is_map() const noexcept { return kind_ == cel::kind::map || kind_ == cel::kind::json_object; }

    // Only of that kind.
    bool boolean() const noexcept { return whole_ != 0; }
    std::int64_t integer() const noexcept { return whole_; }
    std::uint64_t natural() const noexcept { return static_cast<std::uint64_t>(whole_); }
    double real() const noexcept { return real_; }
    /// Of a string, bytes, a type's name, an error's message.
    std::string_view text() const noexcept { return {static_cast<const char*>(data_), extra_}; }
    std::int64_t duration() const noexcept { return whole_; }
    std::int64_t seconds() const noexcept { return whole_; }                            // of a timestamp
    std::uint32_t nanoseconds() const noexcept { return extra_; }                       // of a timestamp
    const value* content() const noexcept { return static_cast<const value*>(data_); }  // of an optional
    const struct_type& fields() const noexcept { return *static_cast<const struct_type*>(data_); }
    const json::value& json() const noexcept { return *static_cast<const json::value*>(data_); }
    std::span<const value> items() const noexcept { return {static_cast<const value*>(data_), extra_}; }
    inline std::span<const map_entry> entries() const noexcept;

private:
    constexpr value(cel::kind k, std::int64_t whole) noexcept : kind_(k), whole_(whole) {}
    value(cel::kind k, const void* data, std::uint32_t extra) noexcept : kind_(k), extra_(extra), data_(data) {}
    static value of_text(cel::kind, std::string_view) noexcept;

    cel::kind kind_;
    std::uint32_t extra_ = 0;  // a length, or nanoseconds
    union {
        std::int64_t whole_;
        double real_;
        const void* data_;
    };
};
static_assert(sizeof(value) == 16);

/// A map made by CEL: entries in order of sorts_before(), each key once.
struct map_entry {
    value key;
    value content;
};

std::span<const map_entry> value::entries() const noexcept { return {static_cast<const map_entry*>(data_), extra_}; }

/// Memory and work of one evaluation. Beyond the work allowed everything fails, so that a hostile body costs
/// milliseconds at most; the memory that can be made is a fixed multiple of that.
class workspace {
public:
    explicit workspace(std::pmr::memory_resource& arena, std::int64_t work) noexcept : arena_(arena), work_(work) {}
    workspace(const workspace&) = delete;
    workspace& operator=(const workspace&) = delete;

    /// False when there is none left.
    bool spend(std::size_t steps) noexcept
    {
        work_ -= static_cast<std::int64_t>(steps);
        return work_ >= 0;
    }
    void refill(std::int64_t work) noexcept { work_ = work; }

    /// Uninitialised; for trivial types only.
    template <class T>
    std::span<T> make(std::size_t count)
    {
        static_assert(std::is_trivially_copyable_v<T>);
        if (count == 0) return {};
        return {static_cast<T*>(arena_.allocate(count * sizeof(T), alignof(T))), count};
    }
    std::string_view keep(std::string_view text);
    /// Both texts, one behind the other.
    std::string_view keep(std::string_view first, std::string_view second);
    std::pmr::memory_resource& arena() const noexcept { return arena_; }

    static value exhausted() noexcept { return value::error("the evaluation takes too long"); }
    value fail(std::string_view message) { return value::error(keep(message)); }
    value fail(std::string_view message, std::string_view detail) { return value::error(keep(message, detail)); }

private:
    std::pmr::memory_resource& arena_;
    std::int64_t work_;
};

/// How many steps a text of that size costs to be read or copied.
constexpr std::size_t text_work(std::size_t bytes) noexcept { return 1 + bytes / 32; }

std::size_t list_size(const value&) noexcept;  // of a list of either kind
value list_at(const value&, std::size_t) noexcept;
std::size_t map_size(const value&) noexcept;
/// The key of that place; JSON objects in the text's order.
value map_key(const value&, std::size_t) noexcept;
value map_content(const value&, std::size_t) noexcept;
/// An error without message when there is no such key: tell by failed().
value map_find(const value& map, const value& key, workspace&) noexcept;
value map_find(const value& map, std::string_view key, workspace&) noexcept;

/// Puts entries in order and refuses a key twice, numbers compared across their types ("repeated key").
value make_map(std::span<map_entry>, workspace&);

/// CEL's heterogeneous equality: numbers across their types, everything else only within its own. A boolean, or an
/// error when there is no work left.
value equals(const value&, const value&, workspace&) noexcept;

enum class order { less, equal, greater, unordered, none };  // unordered: NaN; none: no such overload
order compare(const value&, const value&) noexcept;

/// `google.protobuf.Timestamp` and so on: what type() gives.
std::string_view type_name(const value&) noexcept;

}  // namespace sallyport::policy::cel
