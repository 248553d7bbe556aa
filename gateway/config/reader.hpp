// From YAML's tree to typed values, with a mistake said at its place and in words that say what is accepted. Used by the
// read_*.cpp files; nothing above this folder needs it.
#pragma once

#include "gateway/config/load.hpp"
#include "gateway/config/words.hpp"
#include "gateway/config/yaml.hpp"
#include "workflows/time.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::config {

struct source_file {
    std::string name;                 // DIR as given, then the name
    std::filesystem::path directory;  // absolute: what paths in the file are relative to
    yaml::document document;
};

/// A value and the file that it stands in, which outlives it.
struct value {
    const source_file* file = nullptr;
    const yaml::node* node = nullptr;
};

/// A key of a map and its value.
struct entry {
    std::string_view key;
    std::size_t key_begin = 0;
    config::value value;
};

/// Gathers what is found. A reading function says what is wrong here and gives nothing; the caller goes on, so that every
/// mistake is found in one run.
class reading {
public:
    void error(const value& at, std::string message) { add(errors, at, at.node->begin, std::move(message)); }
    void error_at_key(const entry& at, std::string message) { add(errors, at.value, at.key_begin, std::move(message)); }
    /// At a place within a scalar's text.
    void error_in(const value& scalar, std::size_t offset, std::string message);
    void warning_in(const value& scalar, std::size_t offset, std::string message);
    void warning(const value& at, std::string message) { add(warnings, at, at.node->begin, std::move(message)); }
    /// `FILE:LINE`, for messages about something said twice.
    static std::string place(const value&);

    // Scalars. `what` names the value in messages: "`timeout`".
    std::optional<std::string> text(const value&, std::string_view what);
    std::optional<bool> boolean(const value&, std::string_view what);
    std::optional<std::uint64_t> number(const value&, std::string_view what, std::uint64_t least, std::uint64_t most);
    std::optional<sallyport::duration> duration(const value&, std::string_view what);
    /// Bytes: `64KiB`, `10MB`, `123B`.
    std::optional<std::uint64_t> size(const value&, std::string_view what, std::uint64_t least, std::uint64_t most);
    /// An id: see valid_name().
    std::optional<std::string> name(const value&, std::string_view what);
    std::optional<std::filesystem::path> path(const value&, std::string_view what);
    std::optional<secret_source> secret(const value&, std::string_view what);

    template <class T>
    struct choice_of {
        std::string_view word;
        T means;
    };
    template <class T, std::size_t N>
    std::optional<T> choice(const value& v, std::string_view what, const choice_of<T> (&choices)[N])
    {
        const auto word = text(v, what);
        if (!word) return std::nullopt;
        std::vector<std::string_view> words;
        for (const auto& c : choices) {
            if (c.word == *word) return c.means;
            words.push_back(c.word);
        }
        not_among(v, what, *word, words);
        return std::nullopt;
    }
    void not_among(const value&, std::string_view what, std::string_view word, std::span<const std::string_view> words);

    // Lists and maps.
    /// The elements; with `single`, one scalar stands for a list of one. None when it is no list.
    std::optional<std::vector<value>> list(const value&, std::string_view what, bool single = false);
    /// The members of a map whose keys are names of the author's. None when it is no map.
    std::optional<std::vector<entry>> members(const value&, std::string_view what);

    std::vector<finding> errors;
    std::vector<finding> warnings;

private:
    static void add(std::vector<finding>&, const value&, std::size_t begin, std::string message);
};

/// A map whose keys are ours: an unknown one is an error, said when the map is opened.
class section {
public:
    section(reading&, const value&, std::string_view what, std::span<const std::string_view> keys);
    template <std::size_t N>
    section(reading& r, const value& v, std::string_view what, const std::string_view (&keys)[N])
        : section(r, v, what, std::span<const std::string_view>(keys))
    {
    }

    /// False when it is no map at all: then nothing more is to be said about it.
    explicit operator bool() const noexcept { return is_map_; }
    /// The value of a key that is there.
    std::optional<value> find(std::string_view key) const;
    std::optional<entry> find_entry(std::string_view key) const;
    /// The same; its absence is an error.
    std::optional<value> need(std::string_view key) const;
    /// Reads it by a member of `reading` into `to`, which keeps its default when the key is absent or wrong.
    template <class T, class Read, class... More>
    bool take(T& to, std::string_view key, Read read, const More&... more) const
    {
        const auto v = find(key);
        if (!v) return false;
        auto got = (reading_.*read)(*v, "`" + std::string(key) + "`", more...);
        if (!got) return false;
        to = *std::move(got);
        return true;
    }

private:
    reading& reading_;
    value value_;
    std::string what_;
    bool is_map_ = false;
};

}  // namespace sallyport::config
