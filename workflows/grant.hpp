// Grants: what an approval may leave behind, so that similar calls pass without being asked again. Which calls are similar
// (the shape), how many, how much and for how long. Pure: calls go in as they were read, and a yes or no comes out.
//
// A shape binds agent, route, upstream, method, target and headers to those of the call that people looked at. Of a JSON
// body it names every field: one that it does not name must not be there. Nothing in it is a pattern.
#pragma once

#include "workflows/decimal.hpp"
#include "workflows/hold.hpp"
#include "workflows/ids.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

enum class value_kind { null, boolean, number, string, array, object };

std::string_view name_of(value_kind) noexcept;
std::optional<value_kind> value_kind_named(std::string_view) noexcept;

/// One value of a JSON body. Objects are taken apart into their members; an array is one value, and so is an empty object.
struct body_field {
    std::string pointer;  // RFC 6901; "" is the whole body
    value_kind kind = value_kind::null;
    std::string text;  // of a string its characters, of a number its digits as they are written, else JSON
    friend bool operator==(const body_field&, const body_field&) = default;
};

/// The task in whose name a call was made.
struct call_task {
    std::string id;  // in a shape, empty: any task of that intent
    std::string intent;
    friend bool operator==(const call_task&, const call_task&) = default;
};

using header_texts = std::vector<std::pair<std::string, std::string>>;

/// A call as grants look at it: what will be sent, and in whose name.
struct grantable_call {
    agent_id agent;
    std::string route;
    std::string scheme;     // of the upstream; empty: not known, and then nothing covers it
    std::string authority;  // of the upstream
    std::string method;
    std::string target;  // at the upstream, with its query
    std::optional<call_task> task;
    header_texts headers;        // as headers_that_count() gives them
    std::string content_digest;  // RFC 9530; empty: no body
    /// Of a JSON body, by pointer; none where it is not JSON or has more than a shape can hold.
    std::optional<std::vector<body_field>> fields;
};

/// What a field of a covered call may be.
struct field_rule {
    enum class how { equals, range, any };

    std::string pointer;
    value_kind kind = value_kind::null;
    how may_be = how::equals;
    std::string equals;             // as body_field::text
    std::string at_least, at_most;  // of a range: plain decimal texts, both included
    friend bool operator==(const field_rule&, const field_rule&) = default;
};

struct grant_shape {
    std::string route, scheme, authority, method, target;
    std::optional<call_task> task;
    header_texts headers;
    /// Of a body that is JSON, by pointer. None: the body has exactly `content_digest` (empty: there is none).
    std::optional<std::vector<field_rule>> fields;
    std::string content_digest;
    friend bool operator==(const grant_shape&, const grant_shape&) = default;
};

struct sum_bound {
    std::string pointer;  // of a field that is a number, never negative
    std::string at_most;  // plain decimal text, of all covered calls together
    friend bool operator==(const sum_bound&, const sum_bound&) = default;
};

/// What people sign.
struct grant_terms {
    grant_shape shape;
    int count = 0;  // calls, besides the one that was decided
    std::optional<sum_bound> sum;
    duration lasts{};  // from the approval on; whole seconds
    friend bool operator==(const grant_terms&, const grant_terms&) = default;
};

inline constexpr int most_granted_calls = 1000;
inline constexpr duration shortest_grant = std::chrono::minutes(1);
inline constexpr duration longest_grant = std::chrono::hours(30 * 24);
inline constexpr std::size_t most_shape_fields = 64;
inline constexpr std::size_t longest_shape_text = 32 << 10;  // of a body's pointers and values together

/// Those that say something of what is asked, by name: without the few that differ with every call and that upstreams take
/// for names of the call (`idempotency-key`, `date`, trace and request ids). `all`: lower-case names.
header_texts headers_that_count(header_texts all);

/// The narrowest terms: every field as it is, ten calls, half an hour. `amounts`: pointers that are read first when the field
/// to add up is looked for.
grant_terms propose(const grantable_call& held, std::span<const std::string> amounts);

/// Whether people may sign that: well-formed, covering the held call itself, and wider than it in nothing but fields,
/// numbers and time. `malformed_request` says what is wrong.
result<void> check_terms(const grant_terms&, const grantable_call& held);

/// Whose agent it is, is not asked here.
bool covers(const grant_shape&, const grantable_call&);

/// What that call takes of the sum; zero without one. The shape covers the call.
std::optional<decimal> amount_of(const grant_terms&, const grantable_call&);

/// The terms, as decisions keep them, that enough of the approvals have signed to satisfy the hold's workflows by themselves.
/// None: the approvals leave nothing behind.
std::optional<std::string> granted_terms(const hold&);

/// How much of a grant is left, and whether it may be used.
enum class grant_status { active, exhausted, expired, revoked };

std::string_view name_of(grant_status) noexcept;
std::optional<grant_status> grant_status_named(std::string_view) noexcept;

}  // namespace sallyport
