// Upstreams over TLS, with certificates made here.
#include "gateway/forward/send.hpp"

#include "tests/gateway/forward/stand_in.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

using namespace stand_in;
using loopback::begins;
using loopback::has;
using sallyport::problem;

namespace {

struct key_pair {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    key_pair() = default;
    key_pair(const key_pair&) = delete;
    key_pair& operator=(const key_pair&) = delete;
    ~key_pair()
    {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
};

void extend(X509* certificate, int what, const char* value)
{
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
    REQUIRE(made != nullptr);
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
}

/// `names`: none for an authority. `issuer`: itself.
std::unique_ptr<key_pair> issue(const char* common_name, const char* names, const key_pair* issuer, long valid_for = 3600)
{
    static long serial = 1;
    auto made = std::make_unique<key_pair>();
    X509* const c = made->certificate;
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c), -7200);
    X509_gmtime_adj(X509_getm_notAfter(c), valid_for);
    X509_set_pubkey(c, made->key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common_name), -1, -1,
                               0);
    const key_pair& by = issuer != nullptr ? *issuer : *made;
    X509_set_issuer_name(c, X509_get_subject_name(by.certificate));
    if (names != nullptr)
        extend(c, NID_subject_alt_name, names);
    else
        extend(c, NID_basic_constraints, "critical,CA:TRUE");
    REQUIRE(X509_sign(c, by.key, EVP_sha256()) > 0);
    return made;
}

class certificate_file {
public:
    explicit certificate_file(X509* certificate)
    {
        std::string name = (std::filesystem::temp_directory_path() / "sallyport-ca-XXXXXX").string();
        const int descriptor = ::mkstemp(name.data());
        REQUIRE(descriptor >= 0);
        ::close(descriptor);
        path_ = name;
        write(certificate);
    }
    ~certificate_file()
    {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    certificate_file(const certificate_file&) = delete;
    certificate_file& operator=(const certificate_file&) = delete;
    void write(X509* certificate) const
    {
        std::FILE* const file = std::fopen(path_.c_str(), "w");
        REQUIRE(file != nullptr);
        PEM_write_X509(file, certificate);
        std::fclose(file);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

struct server_context {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    explicit server_context(const key_pair& pair)
    {
        REQUIRE(SSL_CTX_use_certificate(context, pair.certificate) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey(context, pair.key) == 1);
        static const unsigned char id[] = "stand-in";
        SSL_CTX_set_session_id_context(context, id, sizeof id - 1);
    }
    ~server_context() { SSL_CTX_free(context); }
    server_context(const server_context&) = delete;
    server_context& operator=(const server_context&) = delete;
};

config::route tls_route(std::uint16_t port, const std::string& host, const std::filesystem::path& ca)
{
    auto route = route_to(port);
    route.upstream.tls = true;
    route.upstream.host = host;
    route.ca = ca;
    return route;
}

}  // namespace

TEST_CASE("a certificate must verify, and be for the upstream's name")
{
    const auto authority = issue("test authority", nullptr, nullptr), stranger = issue("another authority", nullptr, nullptr);
    const certificate_file trusted(authority->certificate), other(stranger->certificate);
    const auto good = issue("good", "DNS:localhost,IP:127.0.0.1", authority.get());
    const auto elsewhere = issue("localhost", "DNS:elsewhere.example,IP:127.0.0.2", authority.get());
    const auto old = issue("old", "DNS:localhost,IP:127.0.0.1", authority.get(), -3600);
    const auto self_made = issue("self", "DNS:localhost,IP:127.0.0.1", nullptr);

    struct row {
        const char* name;
        const key_pair* shown;
        const char* host;
        std::filesystem::path ca;
        bool passes;
    };
    const row rows[] = {
        {"right name", good.get(), "localhost", trusted.path(), true},
        {"right address", good.get(), "127.0.0.1", trusted.path(), true},
        {"another authority", good.get(), "localhost", other.path(), false},
        {"the system's authorities", good.get(), "localhost", {}, false},
        {"another name", elsewhere.get(), "localhost", trusted.path(), false},
        {"another address", elsewhere.get(), "127.0.0.1", trusted.path(), false},
        {"expired", old.get(), "localhost", trusted.path(), false},
        {"self-made", self_made.get(), "localhost", trusted.path(), false},
        {"no such file", good.get(), "localhost", trusted.path().string() + ".none", false},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        std::atomic<int> requests{0};
        const server_context context(*r.shown);
        upstream there(
            [&](peer& p, int) {
                while (!p.head().empty()) {
                    ++requests;
                    p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                }
            },
            context.context);
        proxy gate(tls_route(there.port(), r.host, r.ca));
        gate.inject("X-Api-Key", "s3cret-key", "s3cret-key");
        loopback::client agent(gate.port());
        for (std::size_t i = 0; i < 2; ++i) {
            agent.send("GET /x HTTP/1.1\r\nHost: gate\r\n\r\n");
            const std::string answer = agent.response();
            const forwarded told = gate.told(i);
            CHECK(told.failed.has_value() == !r.passes);
            if (r.passes) {
                CHECK(answer.ends_with("ok"));
            } else {
                CHECK(answer.ends_with("upstream-unreachable"));
                CHECK(told.request_bytes == 0);
                CHECK_FALSE(told.failed->cause.empty());
            }
        }
        CHECK(requests == (r.passes ? 2 : 0));
        if (r.passes) CHECK(there.connections() == 1);
    }
}

TEST_CASE("plain and TLS, and different authorities, never share a connection")
{
    const auto authority = issue("test authority", nullptr, nullptr);
    const certificate_file one(authority->certificate), two(authority->certificate);
    const auto good = issue("good", "DNS:localhost,IP:127.0.0.1", authority.get());
    const server_context context(*good);
    upstream there([](peer& p, int) { echo_targets(p); }, context.context);
    proxy gate(tls_route(there.port(), "localhost", one.path()));
    CHECK(begins(gate.get(), "HTTP/1.1 200 "));
    gate.route().ca = two.path();
    CHECK(begins(gate.get(), "HTTP/1.1 200 "));
    CHECK(there.connections() == 2);
    gate.route().upstream.tls = false;
    CHECK(begins(gate.get(), "HTTP/1.1 502 "));
    CHECK(there.connections() == 3);
}

TEST_CASE("an authority that was replaced is read anew")
{
    const auto before = issue("before", nullptr, nullptr), after = issue("after", nullptr, nullptr);
    const certificate_file file(before->certificate);
    const auto shown = issue("good", "DNS:localhost", after.get());
    const server_context context(*shown);
    upstream there([](peer& p, int) { echo_targets(p); }, context.context);
    proxy gate(tls_route(there.port(), "localhost", file.path()));
    CHECK(begins(gate.get(), "HTTP/1.1 502 "));
    file.write(after->certificate);
    std::filesystem::last_write_time(file.path(), std::filesystem::last_write_time(file.path()) + 5s);
    CHECK(begins(gate.get(), "HTTP/1.1 200 "));
}

TEST_CASE("a session is resumed by the next connection")
{
    const auto authority = issue("test authority", nullptr, nullptr);
    const certificate_file trusted(authority->certificate);
    const auto good = issue("good", "DNS:localhost", authority.get());
    const server_context context(*good);
    std::atomic<int> resumed{0};
    upstream there(
        [&](peer& p, int) {
            p.head();
            if (p.resumed()) ++resumed;
            p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        },
        context.context);
    proxy gate(tls_route(there.port(), "localhost", trusted.path()));
    for (int i = 0; i < 3; ++i) CHECK(begins(gate.get(), "HTTP/1.1 200 "));
    CHECK(there.connections() == 3);
    CHECK(resumed == 2);
}

TEST_CASE("TLS 1.1 is not spoken")
{
    const auto authority = issue("test authority", nullptr, nullptr);
    const certificate_file trusted(authority->certificate);
    const auto good = issue("good", "DNS:localhost", authority.get());
    const server_context context(*good);
    SSL_CTX_set_security_level(context.context, 0);
    SSL_CTX_set_min_proto_version(context.context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.context, TLS1_1_VERSION);
    upstream there([](peer& p, int) { echo_targets(p); }, context.context);
    proxy gate(tls_route(there.port(), "localhost", trusted.path()));
    CHECK(begins(gate.get(), "HTTP/1.1 502 "));
    CHECK(gate.told().failed->what == problem::upstream_unreachable);
}

TEST_CASE("over TLS a head may be longer than one read takes")
{
    const auto authority = issue("test authority", nullptr, nullptr);
    const certificate_file trusted(authority->certificate);
    const auto good = issue("good", "DNS:localhost", authority.get());
    const server_context context(*good);
    for (const std::size_t size : {4000u, 4200u, 6000u, 15'000u, 40'000u}) {
        CAPTURE(size);
        const std::string long_value(size, 'v');
        // One record holds head and body: once it is decrypted, nothing is left in the socket to wake anybody.
        upstream there(
            [&](peer& p, int) {
                p.head();
                p.send("HTTP/1.1 200 OK\r\nX-Long: " + long_value + "\r\nContent-Length: 4\r\n\r\nbody");
                p.rest();
            },
            context.context);
        proxy gate(tls_route(there.port(), "localhost", trusted.path()));
        const std::string answer = gate.get();
        CHECK(begins(answer, "HTTP/1.1 200 "));
        CHECK(has(answer, "X-Long: " + long_value + "\r\n"));
        CHECK(answer.ends_with("\r\n\r\nbody"));
    }
}

TEST_CASE("a plain server behind an https upstream, and one that says nothing")
{
    std::promise<void> done;
    auto ended = done.get_future().share();
    upstream plain([](peer& p, int) {
        p.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        p.rest();
    });
    upstream silent([&](peer& p, int) {
        p.rest();
        ended.wait_for(loopback::patience);
    });
    for (const std::uint16_t port : {plain.port(), silent.port()}) {
        auto route = tls_route(port, "127.0.0.1", {});
        route.timeout = 400ms;
        proxy gate(route);
        CHECK(begins(gate.get(), "HTTP/1.1 502 "));
        const forwarded told = gate.told();
        REQUIRE(told.failed);
        CHECK(told.failed->what == problem::upstream_unreachable);
        CHECK(told.request_bytes == 0);
    }
    done.set_value();
}

TEST_CASE("over TLS a cut stream does not pass for the end of its body")
{
    const auto authority = issue("test authority", nullptr, nullptr);
    const certificate_file trusted(authority->certificate);
    const auto good = issue("good", "DNS:localhost", authority.get());
    const server_context context(*good);
    for (const bool proper : {true, false}) {
        CAPTURE(proper);
        std::promise<void> agent_has_it;
        upstream there(
            [&](peer& p, int) {
                p.head();
                p.send("HTTP/1.1 200 OK\r\n\r\nsome");
                agent_has_it.get_future().wait_for(loopback::patience);
                // Without close_notify the end could be anybody's on the way (RFC 9112 §9.8).
                if (proper)
                    p.close();
                else
                    p.interrupt();
            },
            context.context);
        proxy gate(tls_route(there.port(), "localhost", trusted.path()));
        loopback::client agent(gate.port());
        agent.send("GET /x HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
        agent.until("some");
        agent_has_it.set_value();
        CHECK(has(agent.rest(), "0\r\n\r\n") == proper);
        CHECK(gate.told().failed.has_value() == !proper);
    }
}

TEST_CASE("large bodies both ways over TLS")
{
    const auto authority = issue("test authority", nullptr, nullptr);
    const certificate_file trusted(authority->certificate);
    const auto good = issue("good", "DNS:localhost", authority.get());
    const server_context context(*good);
    std::string large(4 << 20, '\0');
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    upstream there(
        [&](peer& p, int) {
            p.head();
            const std::string body = p.exactly(large.size());
            p.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
            p.rest();
        },
        context.context);
    auto route = tls_route(there.port(), "localhost", trusted.path());
    route.body_limit = 64 << 20;
    for (const bool read_before : {false, true}) {
        CAPTURE(read_before);
        proxy gate(route);
        if (read_before) gate.read_bodies_first();
        loopback::client agent(gate.port());
        std::thread sender([&] {
            agent.send("POST /x HTTP/1.1\r\nHost: gate\r\nConnection: close\r\nContent-Length: " + std::to_string(large.size()) +
                       "\r\n\r\n");
            agent.send(large);
        });
        agent.until("\r\n\r\n");
        const std::string body = agent.rest();
        sender.join();
        CHECK(body == large);
        CHECK_FALSE(gate.told().failed);
    }
}
