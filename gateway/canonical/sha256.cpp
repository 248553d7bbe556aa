#include "gateway/canonical/sha256.hpp"

#include <openssl/evp.h>

#include <new>
#include <stdexcept>

namespace sallyport {
namespace {

// Fetched once: EVP_sha256() looks its implementation up again for every digest, which costs more than 300 bytes do.
const EVP_MD* algorithm()
{
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (fetched == nullptr) throw std::runtime_error("OpenSSL has no SHA-256");
    return fetched;
}

[[noreturn]] void broken() { throw std::runtime_error("OpenSSL could not compute a SHA-256"); }

struct free_md {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

EVP_MD_CTX* new_context()
{
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    if (context == nullptr) throw std::bad_alloc();
    return context;
}

void begin(EVP_MD_CTX* context)
{
    if (EVP_DigestInit_ex2(context, algorithm(), nullptr) != 1) broken();
}

digest end(EVP_MD_CTX* context)
{
    digest d;
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(context, d.bytes.data(), &size) != 1 || size != d.bytes.size()) broken();
    return d;
}

}  // namespace

digest sha256(std::string_view bytes)
{
    static thread_local const std::unique_ptr<EVP_MD_CTX, free_md> context(new_context());
    begin(context.get());
    if (EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1) broken();
    return end(context.get());
}

sha256_stream::sha256_stream() : context_(new_context()) { begin(static_cast<EVP_MD_CTX*>(context_.get())); }

void sha256_stream::free_context::operator()(void* context) const noexcept { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }

void sha256_stream::update(std::string_view bytes)
{
    if (EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size()) != 1) broken();
}

digest sha256_stream::finish()
{
    auto* context = static_cast<EVP_MD_CTX*>(context_.get());
    const digest d = end(context);
    begin(context);
    return d;
}

}  // namespace sallyport
