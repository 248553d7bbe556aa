#include "workflows/grant.hpp"

#include "workflows/names.hpp"

#include <algorithm>
#include <array>

namespace sallyport {
namespace {

constexpr names::table<6> kinds_in_words{"null", "boolean", "number", "string", "array", "object"};
constexpr names::table<4> statuses{"active", "exhausted", "expired", "revoked"};
static_assert(names::complete(kinds_in_words, value_kind::object) && names::complete(statuses, grant_status::revoked));

constexpr int proposed_count = 10;
constexpr duration proposed_time = std::chrono::minutes(30);

constexpr std::array<std::string_view, 6> of_one_call{"date",       "idempotency-key",  "traceparent",
                                                      "tracestate", "x-correlation-id", "x-request-id"};
constexpr std::array<std::string_view, 6> names_of_amounts{"amount", "total", "sum", "value", "price", "quantity"};

failure wrong(std::string detail) { return fail(problem::malformed_request, "This grant is not acceptable: " + std::move(detail)); }

const body_field* field_at(const grantable_call& call, std::string_view pointer)
{
    if (!call.fields) return nullptr;
    const auto found = std::find_if(call.fields->begin(), call.fields->end(), [&](const body_field& f) { return f.pointer == pointer; });
    return found == call.fields->end() ? nullptr : &*found;
}

const field_rule* rule_at(const grant_shape& shape, std::string_view pointer)
{
    if (!shape.fields) return nullptr;
    const auto found = std::find_if(shape.fields->begin(), shape.fields->end(), [&](const field_rule& r) { return r.pointer == pointer; });
    return found == shape.fields->end() ? nullptr : &*found;
}

bool in_range(const field_rule& rule, std::string_view text)
{
    const auto value = decimal::parse(text), low = decimal::parse(rule.at_least), high = decimal::parse(rule.at_most);
    // A fraction where the approver saw whole numbers may be read as another number, or rounded up.
    return value && low && high && *low <= *value && *value <= *high && places_of(text) <= places_of(rule.at_most);
}

bool allows(const field_rule& rule, const body_field& field)
{
    if (rule.pointer != field.pointer || rule.kind != field.kind) return false;
    switch (rule.may_be) {
    // Numbers by their text, too: whether 1e2 is 100 is for each upstream to say.
    case field_rule::how::equals: return rule.equals == field.text;
    case field_rule::how::range: return field.kind == value_kind::number && in_range(rule, field.text);
    case field_rule::how::any: return true;
    }
    return false;
}

bool same_task(const std::optional<call_task>& shape, const std::optional<call_task>& call)
{
    if (!shape || !call) return !shape && !call;
    return shape->intent == call->intent && (shape->id.empty() || shape->id == call->id);
}

bool adds_up(const body_field& field)
{
    const auto amount = field.kind == value_kind::number ? decimal::parse(field.text) : std::nullopt;
    return amount && !amount->negative();
}

// The field whose values are added up: one that the rules read, else one with a telling name.
const body_field* amount_field(const grantable_call& held, std::span<const std::string> amounts)
{
    if (!held.fields) return nullptr;
    for (const std::string& pointer : amounts)
        if (const body_field* f = field_at(held, pointer); f && adds_up(*f)) return f;
    for (const std::string_view name : names_of_amounts)
        for (const body_field& f : *held.fields)
            if (adds_up(f) && f.pointer.size() > name.size() && f.pointer.ends_with(name) &&
                f.pointer[f.pointer.size() - name.size() - 1] == '/')
                return &f;
    return nullptr;
}

result<void> check_rule(const field_rule& rule)
{
    switch (rule.may_be) {
    case field_rule::how::equals: return {};
    case field_rule::how::any:
        if (rule.kind == value_kind::number || rule.kind == value_kind::string || rule.kind == value_kind::boolean) return {};
        return wrong(rule.pointer + " may be any only where it is a number, a string or a boolean.");
    case field_rule::how::range: {
        const auto low = decimal::parse(rule.at_least), high = decimal::parse(rule.at_most);
        if (rule.kind != value_kind::number || !low || !high) return wrong(rule.pointer + " has no range of plain decimal numbers.");
        if (*low > *high) return wrong(rule.pointer + " has a range in which there is nothing.");
        return {};
    }
    }
    return wrong("a rule that is not known.");
}

result<void> check_sum(const grant_terms& terms, const grantable_call& held)
{
    if (!terms.sum) return {};
    const auto limit = decimal::parse(terms.sum->at_most);
    if (!limit || limit->negative()) return wrong("the sum is no plain decimal number.");
    const field_rule* rule = rule_at(terms.shape, terms.sum->pointer);
    const body_field* field = field_at(held, terms.sum->pointer);
    if (!rule || !field || !adds_up(*field)) return wrong("the sum is not of a number of this call.");
    // What might be negative would give back what was used.
    const auto lowest = rule->may_be == field_rule::how::range ? decimal::parse(rule->at_least) : decimal::parse(field->text);
    if (rule->may_be == field_rule::how::any || !lowest || lowest->negative())
        return wrong("a sum needs its field fixed, or between bounds that are not negative.");
    return {};
}

}  // namespace

std::string_view name_of(value_kind k) noexcept { return names::of(kinds_in_words, k); }
std::optional<value_kind> value_kind_named(std::string_view word) noexcept { return names::find<value_kind>(kinds_in_words, word); }
std::string_view name_of(grant_status s) noexcept { return names::of(statuses, s); }
std::optional<grant_status> grant_status_named(std::string_view word) noexcept { return names::find<grant_status>(statuses, word); }

header_texts headers_that_count(header_texts all)
{
    std::erase_if(all, [](const auto& h) { return std::find(of_one_call.begin(), of_one_call.end(), h.first) != of_one_call.end(); });
    // Fields of one name are a list in their order (RFC 9110 §5.3); the order of names means nothing.
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return all;
}

grant_terms propose(const grantable_call& held, std::span<const std::string> amounts)
{
    grant_terms terms;
    grant_shape& shape = terms.shape;
    shape.route = held.route;
    shape.scheme = held.scheme;
    shape.authority = held.authority;
    shape.method = held.method;
    shape.target = held.target;
    shape.task = held.task;
    shape.headers = held.headers;
    if (held.fields) {
        shape.fields.emplace();
        for (const body_field& f : *held.fields) shape.fields->push_back({f.pointer, f.kind, field_rule::how::equals, f.text, {}, {}});
    } else {
        shape.content_digest = held.content_digest;
    }
    terms.count = proposed_count;
    terms.lasts = proposed_time;
    if (const body_field* f = amount_field(held, amounts)) {
        const decimal all = *decimal::parse(f->text) * proposed_count;
        if (const auto text = all.text(); decimal::parse(text)) terms.sum = sum_bound{f->pointer, text};
    }
    return terms;
}

result<void> check_terms(const grant_terms& terms, const grantable_call& held)
{
    const grant_shape& shape = terms.shape;
    if (terms.count < 1 || terms.count > most_granted_calls) return wrong("the count is 1 to 1000.");
    if (terms.lasts < shortest_grant || terms.lasts > longest_grant || terms.lasts % std::chrono::seconds(1) != duration{})
        return wrong("the time is one minute to 30 days, in whole seconds.");
    if (held.scheme.empty()) return wrong("this call was recorded without its upstream's scheme.");
    // Wider than the call in nothing but its fields: everything else is the call's own.
    if (shape.route != held.route || shape.scheme != held.scheme || shape.authority != held.authority || shape.method != held.method ||
        shape.target != held.target || shape.headers != held.headers)
        return wrong("it is for another kind of call than this one.");
    if (!same_task(shape.task, held.task)) return wrong("it is for another task than this call's.");
    if (shape.task && shape.task->id.empty() && shape.task->intent.empty()) return wrong("it names no task.");
    if (shape.fields.has_value() != held.fields.has_value()) return wrong("its body is not this call's.");
    if (shape.fields) {
        if (!shape.content_digest.empty()) return wrong("its body is fixed twice.");
        if (shape.fields->size() != held.fields->size()) return wrong("its fields are not those of this call.");
        for (std::size_t i = 0; i < shape.fields->size(); ++i) {
            const field_rule& rule = (*shape.fields)[i];
            if (const auto fine = check_rule(rule); !fine) return fine.error();
            if (!allows(rule, (*held.fields)[i])) return wrong("it does not cover this call itself (" + rule.pointer + ").");
        }
    } else if (shape.content_digest != held.content_digest) {
        return wrong("its body is not this call's.");
    }
    return check_sum(terms, held);
}

bool covers(const grant_shape& shape, const grantable_call& call)
{
    if (call.scheme.empty() || shape.route != call.route || shape.scheme != call.scheme || shape.authority != call.authority ||
        shape.method != call.method || shape.target != call.target || shape.headers != call.headers || !same_task(shape.task, call.task))
        return false;
    if (!shape.fields) return shape.content_digest == call.content_digest;
    // Closed: a field more or less is another call.
    return call.fields && std::equal(shape.fields->begin(), shape.fields->end(), call.fields->begin(), call.fields->end(), allows);
}

std::optional<decimal> amount_of(const grant_terms& terms, const grantable_call& call)
{
    if (!terms.sum) return decimal();
    const body_field* field = field_at(call, terms.sum->pointer);
    if (!field || !adds_up(*field)) return std::nullopt;
    return decimal::parse(field->text);
}

std::optional<std::string> granted_terms(const hold& h)
{
    for (const decision& one : h.decisions) {
        if (one.kind != decision_kind::approve || one.grant.empty()) continue;
        hold alike = h;
        std::erase_if(alike.decisions, [&](const decision& d) { return d.grant != one.grant; });
        if (!alike.demands.empty() && !alike.denied() &&
            std::all_of(alike.demands.begin(), alike.demands.end(), [&](const demand& d) { return alike.satisfied(d); }))
            return one.grant;
    }
    return std::nullopt;
}

}  // namespace sallyport
