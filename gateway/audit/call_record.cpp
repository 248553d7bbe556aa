#include "gateway/audit/call_record.hpp"

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sallyport::audit {
namespace {

constexpr char verdict_tag = 'v';
constexpr char outcome_tag = 'o';
constexpr char allow_mark = 'a';
constexpr char deny_mark = 'd';

template <class Number>
void put(std::string& out, Number n)
{
    static_assert(std::is_integral_v<Number>);
    out.append(reinterpret_cast<const char*>(&n), sizeof n);  // the journal is read on the machine that wrote it
}
void put(std::string& out, std::string_view text)
{
    put(out, static_cast<std::uint32_t>(text.size()));
    out += text;
}
template <class Kind>
void put(std::string& out, const id<Kind>& i)
{
    out.append(reinterpret_cast<const char*>(i.bytes().data()), i.bytes().size());
}

struct reader {
    std::string_view left;
    bool whole = true;

    std::string_view bytes(std::size_t count)
    {
        if (count > left.size()) {
            whole = false;
            left = {};
            return {};
        }
        const auto taken = left.substr(0, count);
        left.remove_prefix(count);
        return taken;
    }
    template <class Number>
    Number number()
    {
        Number n{};
        if (const auto taken = bytes(sizeof n); whole) std::memcpy(&n, taken.data(), sizeof n);
        return n;
    }
    std::string_view text() { return bytes(number<std::uint32_t>()); }
    template <class Id>
    Id identifier()
    {
        ulid_bytes raw{};
        if (const auto taken = bytes(raw.size()); whole) std::memcpy(raw.data(), taken.data(), raw.size());
        return Id::from_bytes(raw);
    }
    time_point time() { return time_point(duration(number<std::int64_t>())); }
};

}  // namespace

void encode(const verdict_record& r, std::string& out)
{
    out.assign(1, verdict_tag);
    out += r.verdict == verdict_kind::deny ? deny_mark : allow_mark;
    put(out, static_cast<std::int64_t>(r.at.time_since_epoch().count()));
    put(out, r.action);
    put(out, r.agent);
    put(out, r.route);
    put(out, r.rules);
    put(out, r.policy);
    put(out, r.method);
    put(out, r.authority);
    put(out, r.target);
    put(out,
        r.content ? std::string_view(reinterpret_cast<const char*>(r.content->bytes.data()), r.content->bytes.size()) : std::string_view());
}

void encode(const outcome_record& r, std::string& out)
{
    out.assign(1, outcome_tag);
    put(out, static_cast<std::int64_t>(r.at.time_since_epoch().count()));
    put(out, r.action);
    put(out, r.agent);
    put(out, static_cast<std::int32_t>(r.status));
    // By name: a record may be shipped by the next release, whose enumeration may be another.
    put(out, r.failure ? facts(*r.failure).name : std::string_view());
}

decoded_record decode(std::string_view bytes)
{
    decoded_record decoded;
    if (bytes.empty()) return decoded;
    reader in{bytes.substr(1)};
    if (bytes.front() == verdict_tag) {
        verdict_record r;
        r.verdict = in.bytes(1) == std::string_view(&deny_mark, 1) ? verdict_kind::deny : verdict_kind::allow;
        r.at = in.time();
        r.action = in.identifier<action_id>();
        r.agent = in.identifier<agent_id>();
        r.route = in.text();
        r.rules = in.text();
        r.policy = in.text();
        r.method = in.text();
        r.authority = in.text();
        r.target = in.text();
        if (const auto content = in.text(); content.size() == sizeof(digest::bytes)) {
            r.content.emplace();
            std::memcpy(r.content->bytes.data(), content.data(), content.size());
        }
        if (in.whole && in.left.empty()) decoded.verdict = r;
    } else if (bytes.front() == outcome_tag) {
        outcome_record r;
        r.at = in.time();
        r.action = in.identifier<action_id>();
        r.agent = in.identifier<agent_id>();
        r.status = in.number<std::int32_t>();
        const auto name = in.text();
        if (!name.empty()) r.failure = problem_named(name).value_or(problem::internal_error);
        if (in.whole && in.left.empty()) decoded.outcome = r;
    }
    return decoded;
}

}  // namespace sallyport::audit
