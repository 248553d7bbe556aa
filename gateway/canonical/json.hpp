// The safe reading of JSON (semantics.md, "Body"): strict RFC 8259 in one pass, and whatever two parsers could read in
// two ways is refused: a key twice in one object, a byte order mark, invalid UTF-8, lone surrogates, a number beyond a
// double, more than 64 levels, text behind the value. Pure; a document may be read by any number of threads at once.
#pragma once

#include "workflows/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace sallyport::json {

enum class kind : std::uint8_t { null, boolean, integer, real, string, array, object };

/// One value of a document, which owns it. A number without fraction and exponent that fits is an `integer`, every
/// other one a `real`. Asked for what it is not, it gives the nothing of that type (`false`, 0, "", no member).
class value {
public:
    constexpr value() noexcept = default;  // null

    json::kind kind() const noexcept { return kind_; }
    bool is(json::kind k) const noexcept { return kind_ == k; }

    bool boolean() const noexcept { return kind_ == kind::boolean && scalar_.boolean; }
    std::int64_t integer() const noexcept { return kind_ == kind::integer ? scalar_.integer : 0; }
    /// Of an integer too, rounded to the nearest double.
    double real() const noexcept
    {
        if (kind_ == kind::real) return scalar_.real;
        return kind_ == kind::integer ? static_cast<double>(scalar_.integer) : 0;
    }
    /// Decoded: escapes are resolved. Valid UTF-8, possibly with U+0000 in it.
    std::string_view string() const noexcept { return kind_ == kind::string ? text() : std::string_view{}; }
    /// The number exactly as the text has it; "" for what is none.
    std::string_view number_text() const noexcept { return kind_ == kind::integer || kind_ == kind::real ? text() : std::string_view{}; }

    /// Elements or members; 0 for anything else.
    std::size_t size() const noexcept { return kind_ >= kind::array ? size_ : 0; }
    /// The element, or the member's value, in the text's order. `i < size()`.
    const value& at(std::size_t i) const noexcept { return values()[i]; }
    /// The member's name. Objects only, `i < size()`.
    std::string_view key(std::size_t i) const noexcept { return keys()[i]; }
    /// The member of that name, or none; none for what is no object.
    const value* find(std::string_view key) const noexcept;

private:
    friend class document;
    friend class document_builder;

    std::string_view text() const noexcept { return {static_cast<const char*>(data_), size_}; }
    const value* values() const noexcept { return static_cast<const value*>(data_); }
    const std::string_view* keys() const noexcept
    {
        return static_cast<const std::string_view*>(static_cast<const void*>(values() + size_));
    }

    json::kind kind_ = kind::null;
    std::uint32_t size_ = 0;
    const void* data_ = nullptr;  // a string's or number's characters; an object's or array's values, an object's keys behind
    union {
        std::int64_t integer = 0;
        double real;
        bool boolean;
        const std::uint32_t* places;  // of a large object: its members by hash
    } scalar_{};
};

/// A text and what it says. Strings and numbers without escapes are views into the text, which must outlive it.
class document {
public:
    /// `malformed_request` with what is wrong and at which byte, counted from 0. Text beyond 4 GiB is refused.
    static result<document> parse(std::string_view text);

    document(document&&) noexcept = default;
    document& operator=(document&&) noexcept = default;

    const value& root() const noexcept { return *root_; }

private:
    friend class document_builder;
    struct block;
    struct free_blocks {
        void operator()(block*) const noexcept;
    };
    using arena = std::unique_ptr<block, free_blocks>;

    document(arena memory, const value* root) noexcept : memory_(std::move(memory)), root_(root) {}

    arena memory_;
    const value* root_;
};

}  // namespace sallyport::json
