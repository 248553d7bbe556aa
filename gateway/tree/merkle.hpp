// The Merkle tree of RFC 6962 §2.1: hashes of leaves and nodes, and what must be kept of a tree to let it grow.
#pragma once

#include "workflows/encoding.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::tree {

/// §2.1: MTH of one entry; of two nodes; of no entries.
digest leaf_hash(std::string_view entry);
digest node_hash(const digest& left, const digest& right);
digest empty_root();

/// MTH of so many nodes side by side, all of one height; at least one.
digest root_of(std::span<const digest> nodes);

/// A tree from its first leaf on, as the roots of its complete subtrees, the largest first: one for each bit of its size.
class compact_range {
public:
    compact_range() = default;

    std::uint64_t size() const noexcept { return size_; }
    digest root() const;
    void append(const digest& leaf);

    /// Its size in eight bytes, then the roots; the empty tree is no bytes.
    std::string encode() const;
    /// None for bytes that encode() does not write.
    static std::optional<compact_range> decode(std::string_view bytes);

private:
    std::uint64_t size_ = 0;
    std::vector<digest> roots_;
};

}  // namespace sallyport::tree
