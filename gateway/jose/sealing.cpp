#include "gateway/jose/sealing.hpp"

#include "gateway/jose/openssl.hpp"
#include "gateway/jose/random.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <system_error>

namespace sallyport {
namespace {

using namespace jose;

// The wrapping key is used once a record: random nonces are good for 2^32 of them (NIST SP 800-38D §8.3).
// version (1) | nonce (12) | wrapped data key (32) | tag (16) | nonce (12) | sealed text | tag (16)
constexpr char version = '\x01';
constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t wrapped_bytes = nonce_bytes + key_bytes + tag_bytes;
static_assert(keyring::overhead == 1 + wrapped_bytes + nonce_bytes + tag_bytes);

[[noreturn]] void broken(const char* what) { throw std::runtime_error(std::string("OpenSSL could not ") + what); }

const EVP_CIPHER* aes_256_gcm()
{
    static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    if (fetched == nullptr) broken("find AES-256-GCM");
    return fetched;
}

struct data_key {
    std::array<std::uint8_t, key_bytes> bytes{};
    data_key() = default;
    data_key(const data_key&) = delete;
    data_key& operator=(const data_key&) = delete;
    ~data_key() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    std::string_view view() const noexcept { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

/// OpenSSL counts in int.
bool too_long(std::string_view s) noexcept
{
    return s.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) - keyring::overhead;
}

/// Appends nonce, sealed text and tag.
void encrypt(std::string& to, std::string_view key, std::string_view plain, std::string_view associated)
{
    if (too_long(plain) || too_long(associated)) throw std::length_error("too long to be sealed");
    std::array<std::uint8_t, nonce_bytes> nonce{};
    fill_random(nonce);
    to.append(reinterpret_cast<const char*>(nonce.data()), nonce.size());
    const std::size_t from = to.size();
    to.resize(from + plain.size() + tag_bytes);
    auto* const out = reinterpret_cast<unsigned char*>(to.data() + from);
    const cipher_owner context(EVP_CIPHER_CTX_new());
    int written = 0;
    int last = 0;
    if (!context || EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), bytes_of(key), nonce.data(), nullptr) != 1 ||
        EVP_EncryptUpdate(context.get(), nullptr, &written, bytes_of(associated), static_cast<int>(associated.size())) != 1 ||
        EVP_EncryptUpdate(context.get(), out, &written, bytes_of(plain), static_cast<int>(plain.size())) != 1 ||
        EVP_EncryptFinal_ex(context.get(), out + written, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), out + plain.size()) != 1)
        broken("seal");
}

/// `sealed` is nonce, text and tag; `out` has room for the text. False unless all of it is genuine.
bool decrypt(unsigned char* out, std::string_view key, std::string_view sealed, std::string_view associated)
{
    const error_queue_cleaner errors;
    const std::string_view nonce = sealed.substr(0, nonce_bytes);
    const std::string_view text = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
    std::array<char, tag_bytes> tag{};
    std::memcpy(tag.data(), sealed.data() + sealed.size() - tag_bytes, tag_bytes);
    const cipher_owner context(EVP_CIPHER_CTX_new());
    int written = 0;
    int last = 0;
    return context && EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), bytes_of(key), bytes_of(nonce), nullptr) == 1 &&
           EVP_DecryptUpdate(context.get(), nullptr, &written, bytes_of(associated), static_cast<int>(associated.size())) == 1 &&
           EVP_DecryptUpdate(context.get(), out, &written, bytes_of(text), static_cast<int>(text.size())) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), tag.data()) == 1 &&
           EVP_DecryptFinal_ex(context.get(), out + written, &last) == 1;
}

/// HKDF (RFC 5869) with SHA-256, no salt: the master key is random already.
secret derived(const secret& master, std::string info)
{
    using kdf_owner = std::unique_ptr<EVP_KDF, released_by<EVP_KDF_free>>;
    using kdf_context_owner = std::unique_ptr<EVP_KDF_CTX, released_by<EVP_KDF_CTX_free>>;
    const kdf_owner kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const kdf_context_owner context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
    // OSSL_PARAM has no const: what is put in is only read.
    std::string digest = "SHA256";
    std::string key(master.reveal());
    const std::array<OSSL_PARAM, 4> params = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
                                              OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
                                              OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
                                              OSSL_PARAM_construct_end()};
    std::string made(key_bytes, '\0');
    const bool done =
        context && EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(made.data()), made.size(), params.data()) == 1;
    OPENSSL_cleanse(key.data(), key.size());
    if (!done) broken("derive a key");
    return secret(std::move(made));
}

failure unusable(const std::filesystem::path& path, const std::string& why)
{
    return fail(problem::internal_error, "the master key cannot be used", path.string() + ": " + why);
}

std::string error_text(int number) { return std::generic_category().message(number); }

class descriptor {
public:
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    int get() const noexcept { return number_; }
    bool open() const noexcept { return number_ >= 0; }

private:
    int number_;
};

bool write_all(int to, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto n = ::write(to, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

/// A new key, complete or not there at all: written beside its place and linked into it, which fails if somebody else was
/// first. Lost power must not leave a key that sealed something and is gone, so file and folder are flushed.
result<void> create_key(const std::filesystem::path& path)
{
    const std::filesystem::path beside = path.string() + "." + random_text(9) + ".new";
    const secret key(random_bytes(key_bytes));
    {
        const descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
        if (!file.open()) return unusable(path, "cannot be made: " + error_text(errno));
        // Whatever the umask says: exactly 0600.
        if (::fchmod(file.get(), S_IRUSR | S_IWUSR) != 0 || !write_all(file.get(), key.reveal()) || ::fsync(file.get()) != 0) {
            const int why = errno;
            ::unlink(beside.c_str());
            return unusable(path, "cannot be written: " + error_text(why));
        }
    }
    const int linked = ::link(beside.c_str(), path.c_str());
    const int why = errno;
    ::unlink(beside.c_str());
    if (linked != 0 && why != EEXIST) return unusable(path, "cannot be made: " + error_text(why));
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.open() || ::fsync(opened.get()) != 0) return unusable(path, "its folder cannot be flushed: " + error_text(errno));
    return {};
}

result<secret> read_key(const std::filesystem::path& path, const descriptor& file)
{
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return unusable(path, error_text(errno));
    if (!S_ISREG(facts.st_mode)) return unusable(path, "is no regular file");
    if (facts.st_uid != ::geteuid()) return unusable(path, "belongs to another user");
    if ((facts.st_mode & 07777) != (S_IRUSR | S_IWUSR)) return unusable(path, "its mode is not 0600");
    if (facts.st_size != static_cast<off_t>(key_bytes)) return unusable(path, "is not 32 bytes");
    std::string bytes(key_bytes, '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
        const auto n = ::read(file.get(), bytes.data() + got, bytes.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return unusable(path, "cannot be read");
        got += static_cast<std::size_t>(n);
    }
    return secret(std::move(bytes));
}

}  // namespace

struct keyring::keys {
    secret master;
    secret wrapping;  // a key of its own for its own use
};

result<keyring> keyring::open_or_create(const std::filesystem::path& path)
{
    // O_NOFOLLOW: a link could name a file whose content somebody else knows. O_NONBLOCK: a pipe must not hold us up.
    constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int opened = ::open(path.c_str(), flags);
    if (opened < 0 && errno == ENOENT) {
        if (auto created = create_key(path); !created) return created.error();
        opened = ::open(path.c_str(), flags);
    }
    const int why = errno;
    const descriptor file(opened);
    if (!file.open()) return unusable(path, error_text(why));
    auto key = read_key(path, file);
    if (!key) return key.error();
    secret wrapping = derived(*key, "sallyport wrapping v1");
    return keyring(std::make_shared<const keys>(keys{std::move(*key), std::move(wrapping)}));
}

std::string keyring::seal(std::string_view plain, std::string_view associated) const
{
    data_key key;
    fill_random(key.bytes);
    std::string sealed;
    sealed.reserve(overhead + plain.size());
    sealed += version;
    encrypt(sealed, keys_->wrapping.reveal(), key.view(), associated);
    encrypt(sealed, key.view(), plain, associated);
    return sealed;
}

result<std::string> keyring::open(std::string_view sealed, std::string_view associated) const
{
    const failure no = fail(problem::internal_error, "what is stored cannot be opened", "a sealed value does not open");
    if (sealed.size() < overhead || sealed.front() != version || too_long(sealed) || too_long(associated)) return no;
    sealed.remove_prefix(1);
    data_key key;
    if (!decrypt(key.bytes.data(), keys_->wrapping.reveal(), sealed.substr(0, wrapped_bytes), associated)) return no;
    sealed.remove_prefix(wrapped_bytes);
    std::string plain(sealed.size() - nonce_bytes - tag_bytes, '\0');
    if (!decrypt(reinterpret_cast<unsigned char*>(plain.data()), key.view(), sealed, associated)) {
        OPENSSL_cleanse(plain.data(), plain.size());  // decrypted, but not genuine
        return no;
    }
    return plain;
}

secret keyring::derive(std::string_view purpose) const { return derived(keys_->master, "sallyport purpose " + std::string(purpose)); }

}  // namespace sallyport
