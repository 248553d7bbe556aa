#include "gateway/audit/call_entry.hpp"

#include "gateway/canonical/content_digest.hpp"
#include "gateway/canonical/eight_bytes.hpp"
#include "gateway/canonical/jcs.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace sallyport::audit {
namespace {

// Escaped one character at a time. What is no UTF-8 is of a damaged journal, or our own mistake: it is kept all the same, in hex, for nothing may
// keep the records behind it from the log.
void append_read_text(std::string& to, std::string_view text)
{
    const auto before = to.size();
    try {
        append_jcs_string(to, text);
    } catch (const std::invalid_argument&) {
        to.resize(before);
        append_jcs_string(to, "hex:" + hex(text));
    }
}

// Whether the text is of printable ASCII without quotes and backslashes.
bool plain(std::string_view text)
{
    const auto fine = [](std::uint64_t word) {
        return eight_bytes::between(word, ' ', '~') & ~eight_bytes::equal(word, '"') & ~eight_bytes::equal(word, '\\');
    };
    std::uint64_t all = eight_bytes::highs;
    for (; text.size() >= 8; text.remove_prefix(8)) all &= fine(eight_bytes::load(text.data()));
    std::uint64_t rest = 'x' * eight_bytes::ones;
    if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
    return (all & fine(rest)) == eight_bytes::highs;
}

// Most texts need no escapes.
void append_text(std::string& to, std::string_view text)
{
    if (!plain(text)) return append_read_text(to, text);
    to += '"';
    to += text;
    to += '"';
}

void append_outcome(std::string& to, const outcome_record& r)
{
    to += R"({"problem":)";
    if (r.failure)
        append_text(to, facts(*r.failure).name);
    else
        to += "null";
    to += R"(,"status":)";
    to += r.status > 0 ? std::to_string(r.status) : "null";
    to += '}';
}

// Written by hand, members in RFC 8785's order, for these come by the ten thousand.
storage::audit_entry entry_of(const verdict_record& r, const std::optional<outcome_record>& outcome)
{
    storage::audit_entry entry;
    entry.at = r.at;
    entry.kind = "verdict";
    entry.action = r.action;
    entry.agent = r.agent;
    std::string& data = entry.data;
    data.clear();
    data.reserve(384 + r.target.size() + r.rules.size());
    data += R"({"authority":)";
    append_text(data, r.authority);
    data += R"(,"content_digest":)";
    if (r.content)
        append_text(data, content_digest(*r.content));
    else
        data += "null";
    data += R"(,"method":)";
    append_text(data, r.method);
    if (outcome) {
        data += R"(,"outcome":)";
        append_outcome(data, *outcome);
    }
    data += R"(,"policy":)";
    append_text(data, r.policy);
    data += R"(,"route":)";
    append_text(data, r.route);
    data += R"(,"rules":[)";
    for (std::string_view left = r.rules; !left.empty();) {
        const auto end = std::min(left.find(' '), left.size());
        append_text(data, left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
        if (!left.empty()) data += ',';
    }
    data += R"(],"target":)";
    append_text(data, r.target);
    data += R"(,"verdict":)";
    append_text(data, name_of(r.verdict));
    data += '}';
    return entry;
}

storage::audit_entry entry_of(const outcome_record& r)
{
    storage::audit_entry entry;
    entry.at = r.at;
    entry.kind = "outcome";
    entry.action = r.action;
    entry.agent = r.agent;
    entry.data.clear();
    append_outcome(entry.data, r);
    return entry;
}

}  // namespace

call_entries::call_entries(std::size_t most) : places_(std::bit_ceil(2 * std::max<std::size_t>(most, 1))) { calls_.reserve(most); }

// The action's place, or the free one where it would be.
std::size_t call_entries::place_of(const action_id& id) const noexcept
{
    std::uint64_t last = 0;
    std::memcpy(&last, id.bytes().data() + id.bytes().size() - sizeof last, sizeof last);
    constexpr std::uint64_t spread = 0x9e3779b97f4a7c15;  // Fibonacci hashing: also of ids that count
    std::size_t place = last * spread >> (64 - std::countr_zero(places_.size()));
    while (places_[place] != 0 && calls_[places_[place] - 1].verdict->action != id) place = (place + 1) & (places_.size() - 1);
    return place;
}

bool call_entries::add(std::string_view record)
{
    ++records_;
    decoded_record read = decode(record);
    if (read.verdict) {
        calls_.push_back(read);
        places_[place_of(read.verdict->action)] = static_cast<std::uint32_t>(calls_.size());
        return true;
    }
    if (!read.outcome) return false;
    const auto known = places_[place_of(read.outcome->action)];
    if (known != 0 && !calls_[known - 1].outcome)
        calls_[known - 1].outcome = read.outcome;
    else
        calls_.push_back(read);
    return true;
}

std::vector<storage::audit_entry> call_entries::take()
{
    std::vector<storage::audit_entry> entries;
    entries.reserve(calls_.size());
    for (const decoded_record& c : calls_) entries.push_back(c.verdict ? entry_of(*c.verdict, c.outcome) : entry_of(*c.outcome));
    clear();
    return entries;
}

void call_entries::clear() noexcept
{
    records_ = 0;
    calls_.clear();
    std::fill(places_.begin(), places_.end(), 0);
}

}  // namespace sallyport::audit
