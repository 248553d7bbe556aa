#include "gateway/http/buffers.hpp"

#include <new>

namespace sallyport::http {
namespace {

// What a burst needed and the usual load does not goes back to the system.
constexpr std::size_t keep_small = 1024;  // 4 MiB a core
constexpr std::size_t keep_large = 128;   // 2 MiB a core

}  // namespace

void block::reset() noexcept
{
    if (data_) pool_->give_back(data_, size_);
    pool_ = nullptr;
    data_ = nullptr;
    size_ = 0;
}

buffer_pool::~buffer_pool()
{
    for (char* data : small_) ::operator delete(data);
    for (char* data : large_) ::operator delete(data);
}

block buffer_pool::take(std::size_t bytes)
{
    const std::size_t size = bytes <= small ? small : bytes <= large ? large : bytes;
    return block(*this, obtain(size), size);
}

char* buffer_pool::obtain(std::size_t bytes)
{
    std::vector<char*>* const from = bytes == small ? &small_ : bytes == large ? &large_ : nullptr;
    if (from && !from->empty()) {
        char* const data = from->back();
        from->pop_back();
        return data;
    }
    return static_cast<char*>(::operator new(bytes));
}

void buffer_pool::give_back(char* data, std::size_t bytes) noexcept
{
    std::vector<char*>* const to = bytes == small ? &small_ : bytes == large ? &large_ : nullptr;
    if (to && to->size() < (bytes == small ? keep_small : keep_large)) {
        try {
            to->push_back(data);
            return;
        } catch (const std::bad_alloc&) {
            // No room for the list: then the block itself is what the system needs back.
        }
    }
    ::operator delete(data);
}

void* buffer_pool::do_allocate(std::size_t bytes, std::size_t alignment)
{
    if (alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__) return ::operator new(bytes, std::align_val_t(alignment));
    return obtain(bytes <= small ? small : bytes);
}

void buffer_pool::do_deallocate(void* data, std::size_t bytes, std::size_t alignment)
{
    if (alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
        ::operator delete(data, std::align_val_t(alignment));
    else
        give_back(static_cast<char*>(data), bytes <= small ? small : bytes);
}

}  // namespace sallyport::http
