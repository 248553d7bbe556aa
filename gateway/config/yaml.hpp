// The strict layer over yaml-cpp, which by itself keeps duplicate keys, reads `010` as 8 and `no` as false, and ignores
// a second document. Here a file is one document of maps, lists and scalars; anchors, aliases, tags, merge keys,
// duplicate keys and numbers like `010` are errors; what a scalar means is decided by whoever reads it, not by its
// looks. Everything has its place in the file. Pure, no exception leaves; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config::yaml {

inline constexpr std::size_t longest_text = 1 << 20;  // bytes of a file
inline constexpr std::size_t deepest = 32;            // levels of maps and lists
inline constexpr std::size_t most_nodes = 100'000;

/// Both count from 1; columns count characters, not bytes.
struct position {
    std::size_t line = 1;
    std::size_t column = 1;
};

struct mistake {
    position where;
    std::string message;
};

struct member;

struct node {
    enum class kind { null, scalar, list, map } kind = kind::null;
    enum class style { plain, single_quoted, double_quoted, literal, folded } style = style::plain;
    std::size_t begin = 0;        // byte of the document's text where it starts
    std::string text;             // a scalar's, decoded
    std::vector<node> items;      // a list's
    std::vector<member> members;  // a map's, in order, each key once

    /// Written without quotes: only such a scalar can be a number or a boolean.
    bool plain() const noexcept { return kind == kind::scalar && style == style::plain; }
    const member* find(std::string_view key) const noexcept;
};

struct member {
    std::string key;
    std::size_t begin = 0;  // byte where the key starts
    node value;
};

/// A parsed file, with its text, to which the places in it refer.
class document {
public:
    /// None when it cannot be read as YAML at all, and then nothing is to be concluded from what is missing in it. Other
    /// mistakes leave a document without the offending part. A file without content is an empty map.
    static std::optional<document> parse(std::string text, std::vector<mistake>& mistakes);

    const node& root() const noexcept { return root_; }
    position at(std::size_t byte) const noexcept;
    /// The place in the file of the byte at `offset` of a scalar's decoded text, through escapes, folded lines and
    /// indentation; for the text's size, the place behind its last character.
    position in(const node& scalar, std::size_t offset) const noexcept;

private:
    std::string text_;  // UTF-8 without BOM, line ends as LF
    std::vector<std::size_t> lines_;
    node root_;
};

}  // namespace sallyport::config::yaml
