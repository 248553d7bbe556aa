#include "gateway/audit/log_tree.hpp"

#include "gateway/audit/leaf.hpp"

namespace sallyport::audit {
namespace {

void take(tree::compact_range& range, const storage::audit_entry& e)
{
    static thread_local std::string leaf;
    write_leaf(e, leaf);
    range.append(tree::leaf_hash(leaf));
}

}  // namespace

result<tree::compact_range> log_tree::read(const storage::audit_head& head) const
{
    const auto altered = [](const char* what) {
        return fail(problem::conflict, "The log's head is not as it was left: its tree does not go on.", what);
    };
    auto range = tree::compact_range::decode(head.tree);
    if (!range) return altered("the tree cannot be read");
    if (head.checkpoint.empty()) {
        if (range->size() != 0) return altered("there is a tree, but no checkpoint");
        return std::move(*range);
    }
    const auto ours = verifier(head.origin);
    {
        const std::lock_guard lock(known_->mutex);
        if (known_->checkpoint != head.checkpoint && !tree::open_note(head.checkpoint, ours))
            return altered("the checkpoint is not signed by this log's key");
        known_->checkpoint = head.checkpoint;
    }
    const tree::checkpoint last{head.origin, range->size(), range->root()};
    if (!head.checkpoint.starts_with(last.text() + '\n')) return altered("the tree is not that of the checkpoint");
    return std::move(*range);
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
        for (const auto& e : storage::audit_store::read(tx, static_cast<std::int64_t>(range->size()), limit)) take(*range, e);
        sign(head, *range);
        storage::audit_store::put_tree(tx, head);
        return behind(head);
    });
}

tree::verifier log_tree::verifier(const std::string& origin) const { return {origin, std::string(key_.public_half().ed25519_bytes())}; }

}  // namespace sallyport::audit
