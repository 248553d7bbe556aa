// The log for the administrator: its entries as they are shown, and its leaves and checkpoint as they are exported.
#include "gateway/audit/leaf.hpp"
#include "gateway/serve/admin_request.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

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

// A page ends by its bytes, for an entry may have some hundred of them or several million; there is always one in it. So
// few rows are asked for at once that those of the longest fit into memory.
constexpr std::size_t page_bytes = 4 << 20;
constexpr std::size_t rows_at_once = 32;
constexpr std::size_t rest_bytes = 256;  // of an entry, but for its data

struct page {
    std::vector<storage::audit_entry> entries;
    bool more = false;
};

// Those behind `cursor`. By list(), which passes over places that have no row: that one is missing is for the client to see.
page read_page(storage::transaction& tx, std::optional<std::int64_t> cursor)
{
    storage::audit_query ask;
    ask.oldest_first = true;
    ask.limit = rows_at_once;
    ask.cursor = cursor;
    page read;
    for (std::size_t bytes = 0;;) {
        auto rows = storage::audit_store::list(tx, ask);
        for (auto& e : rows) {
            bytes += e.data.size() + rest_bytes;
            read.more = !read.entries.empty() && bytes > page_bytes;
            if (read.more) return read;
            ask.cursor = e.index;
            read.entries.push_back(std::move(e));
        }
        if (rows.size() < ask.limit) return read;
    }
}

admin_answer show_entries(services& all, const admin_request& request)
{
    const auto cursor = number_of(request, "cursor");
    if (!cursor) return cursor.error();
    if (!*cursor) all.recorder.catch_up(patience);
    const auto found = all.db.run_blocking([at = *cursor](storage::transaction& tx) { return read_page(tx, at); });
    if (!found) return found.error();
    boost::json::array entries;
    for (const auto& e : found->entries)
        entries.push_back(boost::json::object{{"index", e.index},
                                              {"at", format_rfc3339(e.at)},
                                              {"kind", e.kind},
                                              {"action", text_or_null(e.action)},
                                              {"hold", text_or_null(e.hold)},
                                              {"agent", text_or_null(e.agent)},
                                              {"person", text_or_null(e.person)},
                                              {"data", boost::json::parse(e.data)}});
    boost::json::value next;
    if (found->more) next = std::to_string(found->entries.back().index);
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

// A page of leaves, as texts, for they are hashed to the byte. Each with its place, so that none can be taken for another.
admin_answer show_leaves(services& all, const admin_request& request)
{
    const auto from = number_of(request, "from");
    if (!from) return from.error();
    const auto found = all.db.run_blocking([at = from->value_or(0)](storage::transaction& tx) { return read_page(tx, at - 1); });
    if (!found) return found.error();
    boost::json::array leaves;
    std::string text;
    for (const auto& e : found->entries) {
        audit::write_leaf(e, text);
        boost::json::object leaf{{"index", e.index}, {"leaf", text}};
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
