// What the targets share. Each is a program of its own (tests/fuzz/CMakeLists.txt).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sallyport::fuzz {

/// What must hold for every input: ends the run, and libFuzzer keeps the input.
inline void must(bool holds, const char* what)
{
    if (holds) return;
    std::fputs(what, stderr);
    std::fputc('\n', stderr);
    std::abort();
}

/// An input's bytes as text, and numbers that are taken from its front.
class input {
public:
    input(const std::uint8_t* data, std::size_t size) noexcept : left_(reinterpret_cast<const char*>(data), size) {}

    std::size_t number(std::size_t below) noexcept
    {
        if (left_.empty() || below == 0) return 0;
        const auto byte = static_cast<std::uint8_t>(left_.front());
        left_.remove_prefix(1);
        return byte % below;
    }
    std::string_view take(std::size_t most) noexcept
    {
        const std::string_view taken = left_.substr(0, most);
        left_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest() const noexcept { return left_; }

private:
    std::string_view left_;
};

}  // namespace sallyport::fuzz
