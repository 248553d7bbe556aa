#include "gateway/audit/log_tree.hpp"

#include "gateway/audit/leaf.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace sallyport::audit {
namespace {

void take(tree::compact_range& range, const storage::audit_entry& e)
{
    static thread_local std::string leaf;
    write_leaf(e, leaf);
    range.append(tree::leaf_hash(leaf));
}

// As the migration makes them. Another could hold lines of its own, and the key would sign what they say.
bool is_origin(std::string_view text)
{
    constexpr std::string_view name = "sallyport/";
    constexpr std::size_t uuid = 36;
    if (text.size() != name.size() + uuid || !text.starts_with(name)) return false;
    text.remove_prefix(name.size());
    return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; });
}

failure altered(const char* what)
{
    return fail(problem::conflict, "The log's head is not as it was left: its tree does not go on.", what);
}

}  // namespace

result<tree::compact_range> log_tree::read(const storage::audit_head& head) const
{
    if (!is_origin(head.origin)) return altered("the origin is not one that was made here");
    auto range = tree::compact_range::decode(head.tree);
    if (!range) return altered("the tree cannot be read");
    const tree::checkpoint last{head.origin, range->size(), range->root()};
    const std::lock_guard lock(known_->mutex);
    if (const auto& newest = known_->newest;
        newest && (newest->origin != last.origin || newest->size > last.size || (newest->size == last.size && newest->root != last.root)))
        return altered("it is older than a checkpoint that was seen here, or of another log");
    if (head.checkpoint.empty()) {
        if (range->size() != 0) return altered("there is a tree, but no checkpoint");
        return std::move(*range);
    }
    if (known_->checkpoint != head.checkpoint) {
        const auto text = tree::open_note(head.checkpoint, verifier(head.origin));
        if (!text) return altered("the checkpoint is not signed by this log's key");
        if (*text != last.text()) return altered("the tree is not that of the checkpoint");
        known_->checkpoint = head.checkpoint;
    } else if (!head.checkpoint.starts_with(last.text() + '\n')) {
        return altered("the tree is not that of the checkpoint");
    }
    return std::move(*range);
}

bool log_tree::remember(const std::string& note) const
{
    const auto told = tree::checkpoint::parse(std::string_view(note).substr(0, note.rfind("\n\n") + 1));
    if (!told || !is_origin(told->origin)) return false;
    const std::lock_guard lock(known_->mutex);
    // Nearly always it is the one that is known: a signature costs more than to see that.
    if ((known_->newest && known_->newest->size >= told->size) || !tree::open_note(note, verifier(told->origin))) return false;
    known_->newest = told;
    return true;
}

void log_tree::sign(storage::audit_head& head, const tree::compact_range& range) const
{
    const tree::checkpoint now{head.origin, range.size(), range.root()};
    head.tree = range.encode();
    head.checkpoint = tree::sign_note(now.text(), verifier(head.origin), [this](std::string_view text) { return key_.sign(text); });
    const std::lock_guard lock(known_->mutex);
    known_->checkpoint = head.checkpoint;
}

void log_tree::grow(storage::audit_head& head, std::span<const storage::audit_entry> added) const
{
    const auto before = static_cast<std::uint64_t>(head.size) - added.size();
    auto range = read(head);
    if (!range || range->size() != before) return;
    for (const auto& e : added) take(*range, e);
    sign(head, *range);
}

bool log_tree::behind(const storage::audit_head& head)
{
    const auto range = tree::compact_range::decode(head.tree);
    return !range || range->size() != static_cast<std::uint64_t>(head.size) || head.checkpoint.empty();
}

result<bool> log_tree::catch_up(storage::database& db, std::size_t limit) const
{
    return db.run_blocking([this, limit](storage::transaction& tx) -> result<bool> {
        auto head = storage::audit_store::head_for_update(tx);
        auto range = read(head);
        if (!range) return range.error();
        if (!behind(head)) return false;
        const auto entries = storage::audit_store::read(tx, static_cast<std::int64_t>(range->size()), limit);
        if (entries.empty() && range->size() != static_cast<std::uint64_t>(head.size)) return altered("entries are missing at its end");
        for (const auto& e : entries) {
            if (static_cast<std::uint64_t>(e.index) != range->size()) return altered("an entry is missing");
            take(*range, e);
        }
        sign(head, *range);
        storage::audit_store::put_tree(tx, head);
        return behind(head);
    });
}

tree::verifier log_tree::verifier(const std::string& origin) const { return {origin, std::string(key_.public_half().ed25519_bytes())}; }

}  // namespace sallyport::audit
