// The files in which others read a log (C2SP tlog-tiles): hashes in tiles of 256 a level, entries in bundles of 256.
#pragma once

#include "gateway/tree/merkle.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::tree {

inline constexpr std::size_t tile_width = 256;
/// An entry's length is written in two bytes.
inline constexpr std::size_t longest_entry = 0xffff;

/// `width` is 1 to 256; less than 256 is a partial tile.
std::string tile_path(unsigned level, std::uint64_t index, std::size_t width);
std::string bundle_path(std::uint64_t index, std::size_t width);

/// Throws std::length_error for an entry that is too long.
void append_to_bundle(std::string& bundle, std::string_view entry);
/// Views into `bundle`; none unless it is entries from its first byte to its last.
std::optional<std::vector<std::string_view>> entries_of(std::string_view bundle);

/// Makes the hash tiles of a log out of its leaves, each as soon as it is full. Keeps a tile a level.
class tile_maker {
public:
    using taker = std::function<void(const std::string& path, std::string_view hashes)>;

    explicit tile_maker(taker take) : take_(std::move(take)) {}
    void append(const digest& leaf) { append(0, leaf); }
    /// The partial tiles, when all leaves were given. Then it begins with another log.
    void finish();

private:
    struct level {
        std::uint64_t index = 0;  // of the tile that grows
        std::vector<digest> hashes;
    };
    void append(std::size_t at, const digest& node);
    void give(std::size_t at) const;

    taker take_;
    std::vector<level> levels_;
};

}  // namespace sallyport::tree
