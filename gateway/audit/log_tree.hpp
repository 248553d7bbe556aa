// The log's tree as the integrators of all replicas keep it: its compact form and the signed checkpoint stand in the log's head
// row, under the lock that gives entries their place. No hash of a leaf is stored: whoever exports or checks the log has its
// entries, which say all.
//
// Whoever appends lets the tree grow by what it appends (grow), if it has come so far. Where it has not (entries of a release
// that had no tree, or of one that runs beside this), it is left behind, and catches up in batches of its own (catch_up): no
// entry waits for the tree. A checkpoint is signed for each size that is committed; as the head is locked meanwhile, each is of
// a log that continues the one before. And only from a checkpoint that was signed here, and from none older than one that was
// seen here, does the tree go on: whoever can write to the database can stop it, but not have another past signed (but see
// SECURITY.md, "What the record proves").
#pragma once

#include "gateway/jose/key.hpp"
#include "gateway/tree/merkle.hpp"
#include "gateway/tree/note.hpp"
#include "storage/audit_store.hpp"
#include "storage/database.hpp"
#include "workflows/result.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace sallyport::audit {

class log_tree {
public:
    /// An Ed25519 key that signs checkpoints and nothing else.
    explicit log_tree(jose::private_key key) : key_(std::move(key)), known_(std::make_unique<known>()) {}

    /// For `storage::audit_store`'s head_maker: any thread.
    void grow(storage::audit_head& head, std::span<const storage::audit_entry> added) const;

    /// Whether entries are not in the tree, or it has no checkpoint yet.
    static bool behind(const storage::audit_head&);
    /// Takes at most `limit` entries into a tree that is behind; whether it still is. `conflict` when tree and checkpoint of
    /// the head are not what was left there, or an entry is missing: then it stays behind, until somebody has looked.
    result<bool> catch_up(storage::database&, std::size_t limit) const;

    /// A checkpoint that the database has committed, or that was kept of an earlier run: the tree goes on from none that is
    /// older. True when it is this log's, and newer than all that were told. Any thread.
    bool remember(const std::string& note) const;

    /// Whose the checkpoints of a log of that origin are.
    tree::verifier verifier(const std::string& origin) const;

private:
    result<tree::compact_range> read(const storage::audit_head&) const;
    void sign(storage::audit_head&, const tree::compact_range&) const;

    struct known {
        std::mutex mutex;
        std::string checkpoint;                  // the last that was signed, or found to be, here: it need not be verified again
        std::optional<tree::checkpoint> newest;  // of those that were committed
    };
    jose::private_key key_;
    std::unique_ptr<known> known_;
};

}  // namespace sallyport::audit
