// Which fields go on, in either direction (semantics.md, "Never sent on"), and what the agent says to us in fields. The
// functions take any range of things with `name` and `value` (as received, without white space around the value).
#pragma once

#include "gateway/canonical/field.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

/// Fields that own their text, in two allocations however many there are, kept for the next message by `clear`. One
/// thread at a time.
class header_list {
public:
    header_list() = default;
    header_list(header_list&&) noexcept = default;
    header_list& operator=(header_list&&) noexcept = default;
    header_list(const header_list&) = delete;
    header_list& operator=(const header_list&) = delete;

    void clear() noexcept
    {
        used_ = 0;
        fields_.clear();
    }
    /// Room for so many bytes of names and values: until it is used up, no view moves.
    void reserve(std::size_t bytes);
    /// The name is put in lower case.
    void add(std::string_view name, std::string_view value);

    /// In order; until the next `add` or `clear`.
    std::span<const field> fields() const noexcept { return fields_; }
    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }
    std::size_t size() const noexcept { return fields_.size(); }
    bool empty() const noexcept { return fields_.empty(); }
    /// The first value of that lower-case name.
    std::optional<std::string_view> find(std::string_view name) const noexcept;

private:
    char* take(std::size_t bytes);

    std::vector<char> text_;
    std::size_t used_ = 0;
    std::vector<field> fields_;
};

/// Whether two names are one to an upstream that folds letters' case, and `_` into `-`, as CGI and its kin do.
bool same_folded_name(std::string_view a, std::string_view b) noexcept;

/// Decides one message's fields. Every field is shown to `note` first; then `goes_on` knows.
class field_filter {
public:
    enum class direction { to_upstream, to_agent };
    /// `credential_header`: the field that the gateway injects; empty for none. Outlives the filter.
    explicit field_filter(direction where_to, std::string_view credential_header = {}) noexcept
        : direction_(where_to),
          credential_header_(credential_header)
    {
    }
    void note(std::string_view name, std::string_view value)
    {
        bytes_ += name.size() + value.size();
        if (name.size() == connection.size()) note_connection(name, value);
    }
    bool goes_on(std::string_view name);
    /// Of all that was noted.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::string_view connection = "connection";

    void note_connection(std::string_view name, std::string_view value);
    bool named_by_connection(std::string_view name);

    direction direction_;
    std::string_view credential_header_;
    std::vector<std::string_view> named_;  // by Connection, `close` and `keep-alive` left out
    bool sorted_ = true;
    std::size_t bytes_ = 0;
};

/// Adds a field to `out`; of a Prefer what is not the gateway's.
void add_for_upstream(std::string_view name, std::string_view value, header_list& out);

/// The agent's fields that are sent on and judged, lower-case names, in order, in place of what `out` had. Host,
/// Content-Length and the credential are not among them: the gateway writes its own. Where there is a credential, neither are
/// Accept-Encoding (the gateway asks for `identity`), Range and If-Range: the answer must be one in which it can be found.
/// What went through this goes through it unchanged.
template <class Fields>
void fields_to_upstream(const Fields& fields, std::string_view credential_header, header_list& out)
{
    out.clear();
    field_filter filter(field_filter::direction::to_upstream, credential_header);
    for (const auto& f : fields) filter.note(f.name, f.value);
    out.reserve(filter.bytes());
    for (const auto& f : fields)
        if (filter.goes_on(f.name)) add_for_upstream(f.name, f.value, out);
}

/// Gives `each` the upstream's fields that the agent gets. Without Content-Length: whoever writes the answer frames it.
template <class Fields, class Each>
void fields_to_agent(const Fields& fields, Each each)
{
    field_filter filter(field_filter::direction::to_agent);
    for (const auto& f : fields) filter.note(f.name, f.value);
    for (const auto& f : fields)
        if (filter.goes_on(f.name)) each(f);
}

/// What an agent prefers (RFC 7240); the first of several counts, what is malformed is ignored.
struct preferences {
    std::optional<std::chrono::seconds> wait;  // as asked for: the caller has its ceiling
    bool respond_async = false;
};
void read_prefer(std::string_view value, preferences&);

template <class Fields>
preferences parse_prefer(const Fields& fields)
{
    preferences p;
    for (const auto& f : fields) {
        if (same_ignoring_case(f.name, "prefer")) read_prefer(f.value, p);
    }
    return p;
}

/// 1 to 255 visible ASCII characters.
bool valid_idempotency_key(std::string_view) noexcept;

/// The Idempotency-Key, if there is one: once and valid, else `malformed_request`. A view into the field's value.
template <class Fields>
result<std::optional<std::string_view>> parse_idempotency_key(const Fields& fields)
{
    std::optional<std::string_view> key;
    for (const auto& f : fields) {
        if (!same_ignoring_case(f.name, "idempotency-key")) continue;
        if (key) return fail(problem::malformed_request, "Idempotency-Key is given twice");
        if (!valid_idempotency_key(f.value))
            return fail(problem::malformed_request, "Idempotency-Key is not 1 to 255 visible ASCII characters");
        key = f.value;
    }
    return key;
}

}  // namespace sallyport
