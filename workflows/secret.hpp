// A value that must not be seen: move-only, wiped when it goes, not comparable, not printable. `reveal()` is the only
// way in, so that a search for it finds every use.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport {

class secret {
public:
    secret() = default;
    explicit secret(std::string value) noexcept : value_(std::move(value)) {}
    secret(secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
    secret& operator=(secret&& other) noexcept
    {
        if (this != &other) {
            wipe();
            value_ = std::move(other.value_);
            other.wipe();
        }
        return *this;
    }
    secret(const secret&) = delete;
    secret& operator=(const secret&) = delete;
    ~secret() { wipe(); }

    std::string_view reveal() const noexcept { return value_; }
    bool empty() const noexcept { return value_.empty(); }
    /// A second owner is always a decision, so it has a name.
    secret copy() const { return secret(std::string(value_)); }

    friend std::ostream& operator<<(std::ostream&, const secret&) = delete;
    friend bool operator==(const secret&, const secret&) = delete;

private:
    void wipe() noexcept
    {
        // Short strings live inside the object: a move leaves them behind, so the whole capacity is overwritten.
        value_.resize(value_.capacity());
        volatile char* bytes = value_.data();
        for (std::size_t i = 0; i < value_.size(); ++i) bytes[i] = 0;
        value_.clear();
    }
    std::string value_;
};

}  // namespace sallyport
