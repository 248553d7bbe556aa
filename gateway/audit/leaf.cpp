#include "gateway/audit/leaf.hpp"

#include "gateway/canonical/sha256.hpp"
#include "gateway/tree/tiles.hpp"
#include "workflows/utc_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace sallyport::audit {
namespace {

template <class Kind>
void add_id(std::string& out, std::string_view name, const std::optional<id<Kind>>& value)
{
    if (!value) return;
    out += name;
    const auto at = out.size();
    out.resize(at + id<Kind>::length + 1);
    value->write(out.data() + at);
    out.back() = '"';
}

// A kind is a word of ours: it needs no escapes.
void write(const storage::audit_entry& e, std::string& out, bool apart)
{
    out.clear();
    add_id(out, R"({"action":")", e.action);
    add_id(out, out.empty() ? R"({"agent":")" : R"(,"agent":")", e.agent);
    out += out.empty() ? R"({"at":")" : R"(,"at":")";
    out += utc_text(e.at, 'T').microseconds();
    out += 'Z';
    if (apart) {
        out += R"(","data_sha256":")";
        append_hex(out, sha256(e.data).view());
        out += '"';
    } else {
        out += R"(","data":)";
        out += e.data;
    }
    add_id(out, R"(,"hold":")", e.hold);
    out += R"(,"kind":")";
    out += e.kind;
    out += '"';
    add_id(out, R"(,"person":")", e.person);
    out += '}';
}

// More than surrounds the data: ids, time, names, and a kind of up to 37 bytes.
constexpr std::size_t longest_rest = 256;

constexpr std::array<std::string_view, 8> members = {"action", "agent", "at", "data", "data_sha256", "hold", "kind", "person"};

}  // namespace

void write_leaf(const storage::audit_entry& e, std::string& out)
{
    if (e.data.size() + longest_rest <= tree::longest_entry) return write(e, out, false);
    write(e, out, data_is_apart(e));
}

bool data_is_apart(const storage::audit_entry& e)
{
    if (e.data.size() + longest_rest <= tree::longest_entry) return false;
    std::string whole;
    write(e, whole, false);
    return whole.size() > tree::longest_entry;
}

result<leaf_text> leaf_text::parse(std::string_view text)
{
    auto document = json::document::parse(text);
    if (!document) return fail(problem::invalid_input, "it is not JSON: " + document.error().detail);
    leaf_text read{std::move(*document), {}, {}, {}, {}, {}, {}, nullptr, {}};
    const json::value& root = read.text.root();
    if (!root.is(json::kind::object)) return fail(problem::invalid_input, "it is no JSON object");
    const std::array<std::string_view*, members.size()> places = {&read.action,      &read.agent, &read.at,   nullptr,
                                                                  &read.data_sha256, &read.hold,  &read.kind, &read.person};
    std::size_t next = 0;
    for (std::size_t i = 0; i < root.size(); ++i) {
        while (next < members.size() && members[next] != root.key(i)) ++next;
        if (next == members.size()) return fail(problem::invalid_input, "its members are not those of an entry, in their order");
        if (std::string_view* place = places[next]) {
            *place = root.at(i).string();
            if (place->empty()) return fail(problem::invalid_input, "its " + std::string(members[next]) + " is no text");
        } else {
            read.data = &root.at(i);
        }
        ++next;
    }
    if (read.kind.empty() || read.at.empty() || (read.data == nullptr) == read.data_sha256.empty())
        return fail(problem::invalid_input, "it lacks what every entry has");
    return read;
}

}  // namespace sallyport::audit
