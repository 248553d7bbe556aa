#include "gateway/people/pace.hpp"

#include "storage/load_store.hpp"
#include "workflows/eligibility.hpp"
#include "workflows/reading.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace sallyport::people {
namespace {

// What is there to read: what the rules say of it, the target, and the body where it is text.
std::size_t bytes_to_read(const storage::stored_hold& h)
{
    std::size_t all = h.action.target.size();
    for (const reason& r : h.hold.reasons) all += r.summary.size();
    const std::string_view type = h.action.media_type;
    const bool text = type.starts_with("text/") || type.find("json") != std::string_view::npos ||
                      type.find("xml") != std::string_view::npos || type.find("urlencoded") != std::string_view::npos;
    return text ? all + static_cast<std::size_t>(h.action.content_length) : all;
}

}  // namespace

void remember_shown(storage::transaction& tx, const call& c, std::span<const storage::stored_hold> holds)
{
    std::vector<hold_id> theirs;
    for (const auto& h : holds)
        if (h.hold.status == hold_status::held && !why_not(h.hold, c.directory(), *c.person, h.now)) theirs.push_back(h.hold.id);
    storage::load_store::show(tx, c.person->id, theirs);
}

std::optional<bool> decided_fast(storage::transaction& tx, const call& c, const storage::stored_hold& h)
{
    const auto shown = storage::load_store::shown(tx, c.person->id, h.hold.id);
    if (!shown) return std::nullopt;
    return decided_too_fast(shown->at, h.now, bytes_to_read(h), static_cast<std::size_t>(shown->decided));
}

}  // namespace sallyport::people
