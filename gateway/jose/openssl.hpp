// OpenSSL's objects with owners, for the .cpp files of this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>
#include <string_view>

namespace sallyport::jose {

template <auto release>
struct released_by {
    template <class T>
    void operator()(T* object) const noexcept
    {
        release(object);
    }
};

using bio_owner = std::unique_ptr<BIO, released_by<BIO_free_all>>;
using bignum_owner = std::unique_ptr<BIGNUM, released_by<BN_clear_free>>;
using cipher_owner = std::unique_ptr<EVP_CIPHER_CTX, released_by<EVP_CIPHER_CTX_free>>;
using digest_owner = std::unique_ptr<EVP_MD_CTX, released_by<EVP_MD_CTX_free>>;
using key_context_owner = std::unique_ptr<EVP_PKEY_CTX, released_by<EVP_PKEY_CTX_free>>;
using key_owner = std::unique_ptr<EVP_PKEY, released_by<EVP_PKEY_free>>;
using param_builder_owner = std::unique_ptr<OSSL_PARAM_BLD, released_by<OSSL_PARAM_BLD_free>>;
using params_owner = std::unique_ptr<OSSL_PARAM, released_by<OSSL_PARAM_free>>;
using signature_owner = std::unique_ptr<ECDSA_SIG, released_by<ECDSA_SIG_free>>;

inline const unsigned char* bytes_of(std::string_view s) noexcept { return reinterpret_cast<const unsigned char*>(s.data()); }

/// OpenSSL keeps a queue of errors by thread: what failed here must not be read as somebody else's failure on a socket.
struct error_queue_cleaner {
    error_queue_cleaner() { ERR_clear_error(); }
    error_queue_cleaner(const error_queue_cleaner&) = delete;
    error_queue_cleaner& operator=(const error_queue_cleaner&) = delete;
    ~error_queue_cleaner() { ERR_clear_error(); }
};

}  // namespace sallyport::jose
