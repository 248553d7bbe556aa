// Identifiers: a prefix that names the kind and a ULID (26 characters of Crockford's base 32). One type a kind, so
// that a hold's id cannot be passed where an agent's is meant.
#pragma once

#include "workflows/time.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

using ulid_bytes = std::array<std::uint8_t, 16>;

/// 48 bits of milliseconds since 1970, 80 random bits.
ulid_bytes make_ulid(time_point now, const std::array<std::uint8_t, 10>& random) noexcept;
void write_ulid(const ulid_bytes&, char* out26) noexcept;
/// Upper case only, no `I L O U`, at most 128 bits; anything else is none.
std::optional<ulid_bytes> read_ulid(std::string_view text26) noexcept;

template <class Kind>
class id {
public:
    static constexpr std::string_view prefix = Kind::prefix;
    static constexpr std::size_t length = Kind::prefix.size() + 26;

    /// The nil id, of no object.
    constexpr id() = default;

    /// `random` comes from the system's generator; time and randomness are arguments so that tests own both.
    static id make(time_point now, const std::array<std::uint8_t, 10>& random) noexcept { return id(make_ulid(now, random)); }

    static std::optional<id> parse(std::string_view text) noexcept
    {
        if (!text.starts_with(prefix)) return std::nullopt;
        const auto bytes = read_ulid(text.substr(prefix.size()));
        if (!bytes) return std::nullopt;
        return id(*bytes);
    }

    /// Writes exactly `length` characters.
    void write(char* out) const noexcept
    {
        prefix.copy(out, prefix.size());
        write_ulid(bytes_, out + prefix.size());
    }
    std::string text() const
    {
        std::string s(length, '\0');
        write(s.data());
        return s;
    }
    const ulid_bytes& bytes() const noexcept { return bytes_; }
    static id from_bytes(const ulid_bytes& bytes) noexcept { return id(bytes); }

    friend auto operator<=>(const id&, const id&) = default;

private:
    explicit id(const ulid_bytes& bytes) noexcept : bytes_(bytes) {}
    ulid_bytes bytes_{};
};

namespace kinds {
struct action {
    static constexpr std::string_view prefix = "act_";
};
struct hold {
    static constexpr std::string_view prefix = "hld_";
};
struct decision {
    static constexpr std::string_view prefix = "dec_";
};
struct grant {
    static constexpr std::string_view prefix = "grt_";
};
struct agent {
    static constexpr std::string_view prefix = "agt_";
};
struct person {
    static constexpr std::string_view prefix = "per_";
};
struct task {
    static constexpr std::string_view prefix = "tsk_";
};
}  // namespace kinds

using action_id = id<kinds::action>;
using hold_id = id<kinds::hold>;
using decision_id = id<kinds::decision>;
using grant_id = id<kinds::grant>;
using agent_id = id<kinds::agent>;
using person_id = id<kinds::person>;
using task_id = id<kinds::task>;

}  // namespace sallyport

template <class Kind>
struct std::hash<sallyport::id<Kind>> {
    std::size_t operator()(const sallyport::id<Kind>& i) const noexcept
    {
        return std::hash<std::string_view>{}({reinterpret_cast<const char*>(i.bytes().data()), i.bytes().size()});
    }
};
