#include "gateway/tree/tiles.hpp"

#include <stdexcept>

namespace sallyport::tree {
namespace {

constexpr std::size_t length_bytes = 2;

// Three digits an element, all but the last with an `x` before them: 1234067 is `x001/x234/067`.
std::string element_path(std::uint64_t index)
{
    const auto element = [](std::uint64_t n) {
        std::string digits = std::to_string(n);
        return std::string(3 - digits.size(), '0') + digits;
    };
    std::string path = element(index % 1000);
    while ((index /= 1000) != 0) path.insert(0, 'x' + element(index % 1000) + '/');
    return path;
}

std::string with_width(std::string path, std::size_t width)
{
    if (width < tile_width) path += ".p/" + std::to_string(width);
    return path;
}

}  // namespace

std::string tile_path(unsigned level, std::uint64_t index, std::size_t width)
{
    return with_width("tile/" + std::to_string(level) + '/' + element_path(index), width);
}

std::string bundle_path(std::uint64_t index, std::size_t width) { return with_width("tile/entries/" + element_path(index), width); }

void append_to_bundle(std::string& bundle, std::string_view entry)
{
    if (entry.size() > longest_entry) throw std::length_error("an entry is too long for a bundle");
    bundle += static_cast<char>(entry.size() >> 8);
    bundle += static_cast<char>(entry.size() & 0xff);
    bundle += entry;
}

std::optional<std::vector<std::string_view>> entries_of(std::string_view bundle)
{
    std::vector<std::string_view> entries;
    while (!bundle.empty()) {
        if (bundle.size() < length_bytes) return std::nullopt;
        const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bundle[0])) << 8 | static_cast<unsigned char>(bundle[1]);
        bundle.remove_prefix(length_bytes);
        if (bundle.size() < length) return std::nullopt;
        entries.push_back(bundle.substr(0, length));
        bundle.remove_prefix(length);
    }
    return entries;
}

void tile_maker::append(std::size_t at, const digest& node)
{
    if (levels_.size() == at) levels_.emplace_back();
    levels_[at].hashes.push_back(node);
    if (levels_[at].hashes.size() < tile_width) return;
    give(at);
    const digest root = root_of(levels_[at].hashes);
    ++levels_[at].index;
    levels_[at].hashes.clear();
    append(at + 1, root);
}

void tile_maker::give(std::size_t at) const
{
    const level& l = levels_[at];
    std::string hashes;
    hashes.reserve(l.hashes.size() * sizeof(digest::bytes));
    for (const digest& h : l.hashes) hashes += h.view();
    take_(tile_path(static_cast<unsigned>(at), l.index, l.hashes.size()), hashes);
}

void tile_maker::finish()
{
    for (std::size_t at = 0; at < levels_.size(); ++at)
        if (!levels_[at].hashes.empty()) give(at);
    levels_.clear();
}

}  // namespace sallyport::tree
