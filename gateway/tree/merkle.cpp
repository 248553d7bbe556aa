#include "gateway/tree/merkle.hpp"

#include "gateway/canonical/sha256.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace sallyport::tree {
namespace {

// A leaf must not be taken for a node (RFC 6962 §2.1).
constexpr char leaf_mark = 0x00;
constexpr char node_mark = 0x01;

}  // namespace

digest leaf_hash(std::string_view entry)
{
    static thread_local std::string marked;
    marked.assign(1, leaf_mark);
    marked += entry;
    return sha256(marked);
}

digest node_hash(const digest& left, const digest& right)
{
    std::array<char, 1 + 2 * sizeof(digest::bytes)> marked{};
    marked[0] = node_mark;
    std::memcpy(marked.data() + 1, left.bytes.data(), left.bytes.size());
    std::memcpy(marked.data() + 1 + left.bytes.size(), right.bytes.data(), right.bytes.size());
    return sha256({marked.data(), marked.size()});
}

digest empty_root() { return sha256({}); }

digest root_of(std::span<const digest> nodes)
{
    if (nodes.size() == 1) return nodes.front();
    const std::size_t left = std::bit_floor(nodes.size() - 1);  // the largest power of two below
    return node_hash(root_of(nodes.first(left)), root_of(nodes.subspan(left)));
}

digest compact_range::root() const
{
    if (roots_.empty()) return empty_root();
    digest all = roots_.back();
    for (auto left = std::next(roots_.rbegin()); left != roots_.rend(); ++left) all = node_hash(*left, all);
    return all;
}

void compact_range::append(const digest& leaf)
{
    digest grown = leaf;
    // As an addition carries.
    for (auto bits = size_; (bits & 1) != 0; bits >>= 1) {
        grown = node_hash(roots_.back(), grown);
        roots_.pop_back();
    }
    roots_.push_back(grown);
    ++size_;
}

std::string compact_range::encode() const
{
    std::string bytes;
    if (size_ == 0) return bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(size_ >> shift & 0xff);
    for (const digest& root : roots_) bytes += root.view();
    return bytes;
}

std::optional<compact_range> compact_range::decode(std::string_view bytes)
{
    compact_range read;
    if (bytes.empty()) return read;
    constexpr std::size_t head = sizeof read.size_;
    if (bytes.size() < head) return std::nullopt;
    for (const char c : bytes.substr(0, head)) read.size_ = read.size_ << 8 | static_cast<unsigned char>(c);
    bytes.remove_prefix(head);
    const auto roots = static_cast<std::size_t>(std::popcount(read.size_));
    if (roots == 0 || bytes.size() != roots * sizeof(digest::bytes)) return std::nullopt;
    for (; !bytes.empty(); bytes.remove_prefix(sizeof(digest::bytes)))
        read.roots_.push_back(*digest::from_bytes(bytes.substr(0, sizeof(digest::bytes))));
    return read;
}

}  // namespace sallyport::tree
