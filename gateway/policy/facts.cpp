#include "gateway/policy/facts.hpp"

#include "gateway/policy/cel/types.hpp"
#include "gateway/policy/cel/value.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory_resource>
#include <utility>
#include <vector>

namespace sallyport::policy {
namespace {

using namespace cel;
namespace t = cel::types;

constexpr auto request_fields = std::to_array<cel::field>({
    {"method", &t::string, slot_of(fact::method)},
    {"host", &t::string, slot_of(fact::host)},
    {"path", &t::string, slot_of(fact::path)},
    {"query", &t::map_of_string_lists, slot_of(fact::query)},
    {"headers", &t::map_of_strings, slot_of(fact::headers)},
});
constexpr auto agent_fields = std::to_array<cel::field>({
    {"id", &t::string, slot_of(fact::agent_id)},
    {"name", &t::string, slot_of(fact::agent_name)},
    {"class", &t::string, slot_of(fact::agent_class)},
    {"owner", &t::string, slot_of(fact::agent_owner)},
    {"labels", &t::map_of_strings, slot_of(fact::agent_labels)},
});
constexpr auto task_fields = std::to_array<cel::field>({
    {"id", &t::string, slot_of(fact::task_id)},
    {"intent", &t::string, slot_of(fact::task_intent)},
    {"scopes", &t::list_of_string, slot_of(fact::task_scopes)},
    {"limits", &t::dyn, slot_of(fact::task_limits)},
});
constexpr struct_type request_struct{"request", false, request_fields};
constexpr struct_type agent_struct{"agent", false, agent_fields};
constexpr struct_type task_struct{"task", true, task_fields};
constexpr type request_type{type_kind::object, nullptr, nullptr, &request_struct};
constexpr type agent_type{type_kind::object, nullptr, nullptr, &agent_struct};
constexpr type task_type{type_kind::object, nullptr, nullptr, &task_struct};

int hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// application/x-www-form-urlencoded, as upstreams read a query: `+` is a space, a `%` that begins no escape itself.
std::string_view decoded(std::string_view text, workspace& work)
{
    if (text.find_first_of("+%") == std::string_view::npos) return text;
    const auto out = work.make<char>(text.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            out[size++] = static_cast<char>(static_cast<std::uint8_t>(high * 16 + low));
            i += 2;
        } else {
            out[size++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    return {out.data(), size};
}

using named = std::pair<std::string_view, std::string_view>;

// Groups of equal names, which keep their order. `make` gives the value of a group.
template <class Make>
value grouped(std::pmr::vector<named>& pairs, workspace& work, Make make)
{
    std::ranges::stable_sort(pairs, {}, &named::first);
    const auto entries = work.make<map_entry>(pairs.size());
    std::size_t size = 0;
    for (auto begin = pairs.begin(); begin != pairs.end();) {
        const auto end = std::find_if(begin, pairs.end(), [&](const named& p) { return p.first != begin->first; });
        entries[size++] = {value::of(begin->first), make(std::span<const named>(begin, end))};
        begin = end;
    }
    return make_map(entries.first(size), work);
}

// RFC 9110 §5.3: one field line after the other, with a comma between.
value joined(std::span<const named> lines, workspace& work)
{
    if (lines.size() == 1) return value::of(lines[0].second);
    std::size_t length = 2 * (lines.size() - 1);
    for (const named& line : lines) length += line.second.size();
    if (!work.spend(text_work(length))) return workspace::exhausted();
    const auto text = work.make<char>(length);
    auto at = text.begin();
    for (const named& line : lines) {
        if (at != text.begin()) at = std::ranges::copy(std::string_view(", "), at).out;
        at = std::ranges::copy(line.second, at).out;
    }
    return value::of(std::string_view(text.data(), text.size()));
}

value strings(const std::vector<std::string>& texts, workspace& work)
{
    const auto items = work.make<value>(texts.size());
    std::ranges::transform(texts, items.begin(), [](const std::string& s) { return value::of(std::string_view(s)); });
    return value::of_list(items);
}

value instant(time_point at)
{
    const auto second = std::chrono::floor<std::chrono::seconds>(at);
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(at - second);
    return value::of_timestamp(second.time_since_epoch().count(), static_cast<std::uint32_t>(rest.count()));
}

}  // namespace

const environment& conditions_environment()
{
    static const environment names = [] {
        environment e;
        e.declare("request", &request_type, slot_of(fact::request));
        e.declare("body", &t::dyn, slot_of(fact::body));
        e.declare("agent", &agent_type, slot_of(fact::agent));
        e.declare("task", &task_type, slot_of(fact::task));
        e.declare("now", &t::timestamp, slot_of(fact::now));
        return e;
    }();
    return names;
}

value call_activation::load(std::uint32_t slot, workspace& work)
{
    const auto asked = static_cast<fact>(slot);
    switch (asked) {
    case fact::request: return value::of_object(&request_struct);
    case fact::method: return value::of(call_.method);
    case fact::host: return value::of(call_.host);
    case fact::path: return value::of(call_.path);
    case fact::query: return query(work);
    case fact::headers: return headers(work);
    case fact::body: return call_.body ? value::of_json(*call_.body) : value::error("the body is no JSON, so it has no value");
    case fact::agent: return value::of_object(&agent_struct);
    case fact::agent_id:
    case fact::agent_name:
    case fact::agent_class:
    case fact::agent_owner:
    case fact::agent_labels: return agent(asked, work);
    case fact::task: return call_.task ? value::of_object(&task_struct) : value();
    case fact::task_id:
    case fact::task_intent:
    case fact::task_scopes:
    case fact::task_limits: return task(asked, work);
    case fact::now: return instant(call_.now);
    }
    return value::error("no such variable");
}

value call_activation::load_member(std::uint32_t slot, std::string_view key, workspace& work)
{
    if (static_cast<fact>(slot) == fact::headers && !headers_) return header(key, work);
    return activation::load_member(slot, key, work);
}

value call_activation::header(std::string_view name, workspace& work)
{
    if (!work.spend(call_.headers.size() / 8)) return workspace::exhausted();
    const auto same = [&](const policy::header& h) { return h.name == name; };
    const auto first = std::ranges::find_if(call_.headers, same);
    if (first == call_.headers.end()) return value::error({});
    if (std::find_if(first + 1, call_.headers.end(), same) == call_.headers.end()) return value::of(first->value);
    const value all = headers(work);
    return all.failed() ? all : map_find(all, name, work);
}

value call_activation::headers(workspace& work)
{
    if (headers_) return *headers_;
    if (!work.spend(call_.headers.size())) return workspace::exhausted();
    std::pmr::vector<named> lines(&work.arena());
    lines.reserve(call_.headers.size());
    for (const policy::header& h : call_.headers) lines.emplace_back(h.name, h.value);
    const value made = grouped(lines, work, [&](std::span<const named> same) { return joined(same, work); });
    if (!made.failed()) headers_ = made;
    return made;
}

value call_activation::query(workspace& work)
{
    if (query_) return *query_;
    if (!work.spend(text_work(call_.query.size()))) return workspace::exhausted();
    std::pmr::vector<named> pairs(&work.arena());
    for (std::string_view rest = call_.query; !rest.empty();) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view content = pair.substr(std::min(equals + 1, pair.size()));
        pairs.emplace_back(decoded(pair.substr(0, equals), work), decoded(content, work));
    }
    const value made = grouped(pairs, work, [&](std::span<const named> same) {
        const auto items = work.make<value>(same.size());
        std::ranges::transform(same, items.begin(), [](const named& p) { return value::of(p.second); });
        return value::of_list(items);
    });
    if (!made.failed()) query_ = made;
    return made;
}

value call_activation::agent(fact asked, workspace& work)
{
    if (!call_.agent) return value::error("no agent");
    const sallyport::agent& a = *call_.agent;
    if (asked == fact::agent_id) return value::of(work.keep(a.id.text()));
    if (asked == fact::agent_name) return value::of(std::string_view(a.name));
    if (asked == fact::agent_class) return value::of(name_of(a.cls));
    if (asked == fact::agent_owner) {
        if (a.owner.kind == owner_name::kind::person) return value::of(std::string_view(a.owner.name));
        return value::of(work.keep(a.owner.text()));
    }
    const auto entries = work.make<map_entry>(a.labels.size());
    std::ranges::transform(a.labels, entries.begin(), [](const auto& label) {
        return map_entry{value::of(std::string_view(label.first)), value::of(std::string_view(label.second))};
    });
    return make_map(entries, work);
}

value call_activation::task(fact asked, workspace& work)
{
    if (!call_.task) return value::error("there is no task");
    const task_facts& task = *call_.task;
    if (asked == fact::task_id) return value::of(std::string_view(task.id));
    if (asked == fact::task_intent) return value::of(std::string_view(task.intent));
    if (asked == fact::task_scopes) return strings(task.scopes, work);
    return task.limits ? value::of_json(*task.limits) : value();
}

}  // namespace sallyport::policy
