// Blocks of memory that connections borrow while they have bytes to keep. One pool a core, no lock; an idle
// connection holds none.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>
#include <utility>
#include <vector>

namespace sallyport::http {

class buffer_pool;

/// A block borrowed from its pool; gives itself back. The pool outlives it.
class block {
public:
    block() = default;
    block(block&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0))
    {
    }
    block& operator=(block&& other) noexcept
    {
        if (this != &other) {
            reset();
            pool_ = std::exchange(other.pool_, nullptr);
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    ~block() { reset(); }

    char* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    explicit operator bool() const noexcept { return data_ != nullptr; }
    void reset() noexcept;

private:
    friend class buffer_pool;
    block(buffer_pool& pool, char* data, std::size_t size) noexcept : pool_(&pool), data_(data), size_(size) {}
    buffer_pool* pool_ = nullptr;
    char* data_ = nullptr;
    std::size_t size_ = 0;  // bytes
};

/// Also a memory resource, so that an arena's first chunk is a recycled block.
class buffer_pool final : public std::pmr::memory_resource {
public:
    static constexpr std::size_t small = 4096;   // bytes
    static constexpr std::size_t large = 16384;  // bytes

    buffer_pool() = default;
    ~buffer_pool() override;
    buffer_pool(const buffer_pool&) = delete;
    buffer_pool& operator=(const buffer_pool&) = delete;

    /// At least that many bytes, not initialised: `small`, `large`, or exactly the size when that is more.
    block take(std::size_t bytes);

private:
    friend class block;
    char* obtain(std::size_t bytes);
    void give_back(char* data, std::size_t bytes) noexcept;
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* data, std::size_t bytes, std::size_t alignment) override;
    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

    std::vector<char*> small_, large_;
};

}  // namespace sallyport::http
