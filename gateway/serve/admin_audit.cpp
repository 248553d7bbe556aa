// The log for the administrator: its entries as they are shown, and its leaves and checkpoint as they are exported.
#include "gateway/audit/leaf.hpp"
#include "gateway/serve/admin_request.hpp"
#include "gateway/tree/tiles.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <charconv>

namespace sallyport::serve {
namespace {

// What has just happened is in the log then, and under its checkpoint.
constexpr std::chrono::seconds patience{3};

template <class Id>
boost::json::value text_or_null(const std::optional<Id>& id)
{
    if (!id) return nullptr;
    return boost::json::value(id->text());
}

result<std::optional<std::int64_t>> number_of(const admin_request& request, std::string_view name)
{
    const auto found = request.query.find(name);
    if (found == request.query.end()) return std::optional<std::int64_t>();
    const std::string& text = found->second;
    std::int64_t number = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (wrong != std::errc{} || end != text.data() + text.size() || number < 0)
        return fail(problem::invalid_input, std::string(name) + " is a number.");
    return std::optional(number);
}

admin_answer show_entries(services& all, const admin_request& request)
{
    const auto cursor = number_of(request, "cursor");
    if (!cursor) return cursor.error();
    if (!*cursor) all.recorder.catch_up(patience);
    storage::audit_query ask;
    ask.oldest_first = true;
    ask.limit = 1000;
    ask.cursor = *cursor;
    const auto found = all.db.run_blocking([&](storage::transaction& tx) { return storage::audit_store::list(tx, ask); });
    if (!found) return found.error();
    boost::json::array entries;
    for (const auto& e : *found)
        entries.push_back(boost::json::object{{"index", e.index},
                                              {"at", format_rfc3339(e.at)},
                                              {"kind", e.kind},
                                              {"action", text_or_null(e.action)},
                                              {"hold", text_or_null(e.hold)},
                                              {"agent", text_or_null(e.agent)},
                                              {"person", text_or_null(e.person)},
                                              {"data", boost::json::parse(e.data)}});
    boost::json::value next;
    if (found->size() == ask.limit) next = std::to_string(found->back().index);
    return boost::json::object{{"entries", std::move(entries)}, {"next", std::move(next)}};
}

admin_answer show_checkpoint(services& all)
{
    all.recorder.catch_up(patience);
    const auto head = all.db.run_blocking([](storage::transaction& tx) { return storage::audit_store::head(tx); });
    if (!head) return head.error();
    return boost::json::object{
        {"entries", head->size}, {"checkpoint", head->checkpoint}, {"vkey", all.recorder.tree().verifier(head->origin).vkey()}};
}

// A bundle's worth of leaves, as texts: they are hashed to the byte.
admin_answer show_leaves(services& all, const admin_request& request)
{
    const auto from = number_of(request, "from");
    if (!from) return from.error();
    const auto found = all.db.run_blocking(
        [at = from->value_or(0)](storage::transaction& tx) { return storage::audit_store::read(tx, at, tree::tile_width); });
    if (!found) return found.error();
    boost::json::array leaves;
    std::string text;
    for (const auto& e : *found) {
        audit::write_leaf(e, text);
        boost::json::object leaf{{"leaf", text}};
        if (audit::data_is_apart(e)) leaf["data"] = e.data;
        leaves.push_back(std::move(leaf));
    }
    return boost::json::object{{"leaves", std::move(leaves)}};
}

}  // namespace

std::optional<admin_answer> admin_audit(services& all, const admin_request& request)
{
    if (request.path.empty() || request.path[0] != "audit") return std::nullopt;
    if (request.is("GET", {"audit"})) return show_entries(all, request);
    if (request.is("GET", {"audit", "checkpoint"})) return show_checkpoint(all);
    if (request.is("GET", {"audit", "leaves"})) return show_leaves(all, request);
    return fail(problem::not_found);
}

}  // namespace sallyport::serve
