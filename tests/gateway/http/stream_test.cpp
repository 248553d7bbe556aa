#include "gateway/http/stream.hpp"

#include "tests/gateway/http/loopback.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cstdio>
#include <filesystem>
#include <numeric>

using namespace loopback;
namespace error = boost::asio::error;

namespace {

// A directory with self-signed certificates, made afresh: nothing here expires.
class certificates {
public:
    certificates() : directory_(std::filesystem::temp_directory_path() / ("sallyport-tls-" + std::to_string(::getpid())))
    {
        std::filesystem::create_directory(directory_);
        make("right", "DNS:gate.test,IP:127.0.0.1");
        make("other", "DNS:other.test");
    }
    ~certificates() { std::filesystem::remove_all(directory_); }
    std::filesystem::path certificate(const std::string& name) const { return directory_ / (name + ".pem"); }
    std::filesystem::path key(const std::string& name) const { return directory_ / (name + ".key"); }

private:
    void make(const std::string& name, const char* names)
    {
        EVP_PKEY* const pair = EVP_EC_gen("P-256");
        X509* const made = X509_new();
        X509_set_version(made, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
        X509_gmtime_adj(X509_getm_notBefore(made), -60);
        X509_gmtime_adj(X509_getm_notAfter(made), 3600);
        X509_set_pubkey(made, pair);
        X509_NAME* const subject = X509_get_subject_name(made);
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(made, subject);
        X509_EXTENSION* const alternative = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
        X509_add_ext(made, alternative, -1);
        X509_EXTENSION_free(alternative);
        X509_sign(made, pair, EVP_sha256());
        std::FILE* file = std::fopen(certificate(name).c_str(), "w");
        PEM_write_X509(file, made);
        std::fclose(file);
        file = std::fopen(key(name).c_str(), "w");
        PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
        X509_free(made);
        EVP_PKEY_free(pair);
    }
    std::filesystem::path directory_;
};

const certificates& all_certificates()
{
    static const certificates made;
    return made;
}

std::shared_ptr<tls_context> server_context(const std::string& name)
{
    auto made = tls_context::server(all_certificates().certificate(name), all_certificates().key(name));
    REQUIRE(made.has_value());
    return *made;
}

std::shared_ptr<tls_context> client_context(const std::string& trusted)
{
    auto made = tls_context::client(all_certificates().certificate(trusted));
    REQUIRE(made.has_value());
    return *made;
}

stream::endpoint local(std::uint16_t port) { return boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), port); }

steady_time soon(std::chrono::milliseconds after = patience) { return std::chrono::steady_clock::now() + after; }

awaitable<void> echo(exchange& call)
{
    const auto body = co_await call.read_body(1 << 20);
    if (body) co_await call.respond(200, {}, *body);
}

awaitable<std::string> read_to_end(stream& from, boost::system::error_code& how)
{
    std::string all;
    std::array<char, 10000> some;
    for (;;) {
        const transfer read = co_await from.read_some(some);
        all.append(some.data(), read.bytes);
        if (read.error) {
            how = read.error;
            break;
        }
    }
    co_return all;
}

struct peer_core {
    peer_core() { one.start(); }
    core one;
};

}  // namespace

TEST_CASE("who is at the other end of TLS")
{
    struct row {
        const char* name;
        const char* trusted;
        const char* peer;
        bool taken;
    };
    const row rows[] = {
        {"the right certificate, by name", "right", "gate.test", true},
        {"the right certificate, by address", "right", "127.0.0.1", true},
        {"another name", "right", "gate.example", false},
        {"another address", "right", "127.0.0.2", false},
        {"an issuer that is not known", "other", "gate.test", false},
    };
    running server(echo, [](server_options& options) { options.tls = server_context("right"); });
    peer_core here;
    const auto script = [](core& where, std::uint16_t port, const row& r) -> awaitable<void> {
        stream peer(where);
        peer.read_by(soon());
        peer.write_by(soon());
        CHECK(!co_await peer.connect(local(port)));
        const std::string name = r.peer;
        const auto failed = co_await peer.handshake_client(client_context(r.trusted), name, name);
        CHECK(!failed == r.taken);
        if (!r.taken) {
            CHECK(failed == error::connection_refused);
            CHECK(!peer.tls_failure().empty());
            co_return;
        }
        co_await peer.write_all("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", "Content-Length: 5\r\n\r\n", "hello");
        boost::system::error_code how;
        const std::string all = co_await read_to_end(peer, how);
        CHECK(all.ends_with("\r\n\r\nhello"));
        CHECK(how == error::eof);  // close_notify came: nothing was cut off
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        on(here.one, script(here.one, server.port(), r));
    }
}

TEST_CASE("much over TLS, both ways, and a session resumed")
{
    running server(echo, [](server_options& options) { options.tls = server_context("right"); });
    peer_core here;
    const auto script = [](core& where, std::uint16_t port) -> awaitable<void> {
        const auto context = client_context("right");
        std::string body(700'000, 'x');
        std::iota(body.begin(), body.end(), '\0');
        for (int round = 0; round < 3; ++round) {
            stream peer(where);
            peer.read_by(soon());
            peer.write_by(soon());
            CHECK(!co_await peer.connect(local(port)));
            const std::string name = "gate.test", session = "gate.test:1";
            CHECK(!co_await peer.handshake_client(context, name, session));
            CHECK(peer.tls_resumed() == (round > 0));
            for (int request = 0; request < 2; ++request) {
                const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
                const transfer sent = co_await peer.write_all(head, body);
                CHECK(!sent.error);
                CHECK(sent.bytes == head.size() + body.size());
                std::string all;
                std::array<char, 30000> some;
                while (all.size() < body.size() || !all.ends_with(body)) {
                    const transfer read = co_await peer.read_some(some);
                    CHECK(!read.error);
                    if (read.error) co_return;
                    all.append(some.data(), read.bytes);
                }
                CHECK(peer.look() == stream::glance::nothing);
            }
        }
    };
    on(here.one, script(here.one, server.port()));
}

TEST_CASE("requests that came in one record are all answered")
{
    running server(echo, [](server_options& options) { options.tls = server_context("right"); });
    peer_core here;
    const auto script = [](core& where, std::uint16_t port) -> awaitable<void> {
        for (const std::size_t size : {200u, 1024u, 1900u}) {
            stream peer(where);
            peer.read_by(soon());
            peer.write_by(soon());
            CHECK(!co_await peer.connect(local(port)));
            const std::string name = "gate.test";
            CHECK(!co_await peer.handshake_client(client_context("right"), name, name));
            std::string all;
            for (int i = 0; i < 8; ++i) {
                std::string one =
                    "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(i == 7 ? "Connection: close\r\n" : "") + "Content-Length: 5\r\nX-Fill: ";
                one += std::string(size - one.size() - 9, 'f') + "\r\n\r\nhello";
                CHECK(one.size() == size);
                all += one;
            }
            co_await peer.write_all(all);
            boost::system::error_code how;
            const std::string answers = co_await read_to_end(peer, how);
            CHECK(how == error::eof);
            std::size_t count = 0;
            for (std::size_t at = 0; (at = answers.find("HTTP/1.1 200 ", at)) != std::string::npos; ++at) ++count;
            CHECK(count == 8);
        }
    };
    on(here.one, script(here.one, server.port()));
}

TEST_CASE("a waiting call over TLS notices that its peer closed")
{
    std::promise<woke> woken;
    signal never;
    running server(
        [&](exchange& call) -> awaitable<void> {
            call.release_buffers();
            const woke why = co_await call.wait(never, soon(20s));
            woken.set_value(why);
        },
        [](server_options& options) { options.tls = server_context("right"); });
    peer_core here;
    const auto script = [](core& where, std::uint16_t port) -> awaitable<void> {
        stream peer(where);
        CHECK(!co_await peer.connect(local(port)));
        const std::string name = "gate.test";
        CHECK(!co_await peer.handshake_client(client_context("right"), name, name));
        co_await peer.write_all("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        peer.close();
    };
    on(here.one, script(here.one, server.port()));
    auto why = woken.get_future();
    REQUIRE(why.wait_for(patience) == std::future_status::ready);
    CHECK(why.get() == woke::gone);
}

TEST_CASE("a TLS connection that ends without close_notify is cut, not ended")
{
    running server(
        [](exchange& call) -> awaitable<void> {
            co_await call.begin_response(200, {});
            co_await call.write_body("half");
            throw std::runtime_error("in the middle");
        },
        [](server_options& options) { options.tls = server_context("right"); });
    peer_core here;
    const auto script = [](core& where, std::uint16_t port) -> awaitable<void> {
        stream peer(where);
        peer.read_by(soon());
        CHECK(!co_await peer.connect(local(port)));
        const std::string name = "gate.test";
        CHECK(!co_await peer.handshake_client(client_context("right"), name, name));
        co_await peer.write_all("GET / HTTP/1.0\r\n\r\n");
        boost::system::error_code how;
        const std::string all = co_await read_to_end(peer, how);
        CHECK(how != error::eof);
    };
    on(here.one, script(here.one, server.port()));
}

TEST_CASE("what is not TLS on a TLS port, and TLS that offers another protocol only")
{
    running server(echo, [](server_options& options) {
        options.tls = server_context("right");
        options.head_time = 300ms;
    });
    client plain(server.port());
    plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(!has(plain.rest(), "HTTP/1.1"));
    client silent(server.port());
    CHECK(silent.rest().empty());  // the handshake has its time as well
    client good(server.port());
    CHECK(server.log().empty());
}

TEST_CASE("certificates and keys that cannot be used are named")
{
    const auto& files = all_certificates();
    const auto mixed = tls_context::server(files.certificate("right"), files.key("other"));
    REQUIRE(mixed.has_error());
    CHECK(mixed.error().what == problem::invalid_input);
    CHECK(has(mixed.error().detail, "other.key"));
    CHECK(tls_context::server(files.key("right"), files.key("right")).has_error());
    CHECK(tls_context::server(files.certificate("none"), files.key("right")).has_error());
    CHECK(tls_context::client(files.key("right")).has_error());
    CHECK(tls_context::client({}).has_value());
}

TEST_CASE("connecting, looking, and deadlines")
{
    peer_core here;
    const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listening, 8) == 0);
    socklen_t size = sizeof address;
    ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);

    const auto script = [](core& where, int server, std::uint16_t port) -> awaitable<void> {
        stream peer(where);
        CHECK(peer.look() == stream::glance::closed);
        CHECK(!co_await peer.connect(local(port)));
        const int other = ::accept(server, nullptr, nullptr);
        CHECK(peer.look() == stream::glance::nothing);
        CHECK(!peer.readable_or_closed());

        std::array<char, 100> some;
        CHECK(peer.try_read(some).error == error::would_block);
        peer.read_by(soon(50ms));
        CHECK((co_await peer.read_some(some)).error == error::timed_out);
        CHECK((co_await peer.read_some(some)).error == error::timed_out);
        CHECK(co_await peer.wait_readable() == error::timed_out);
        peer.read_by(soon());

        CHECK(::send(other, "abc", 3, 0) == 3);
        CHECK(!co_await peer.wait_readable());
        CHECK(peer.look() == stream::glance::bytes);
        CHECK(peer.readable_or_closed());
        CHECK(peer.discard(2).bytes == 2);
        const transfer last = co_await peer.read_some(some);
        CHECK(last.bytes == 1);
        CHECK(some[0] == 'c');

        // A writer that waits is not ended by the reader's deadline.
        peer.read_by(soon(50ms));
        const std::string much(20'000'000, 'w');
        std::size_t seen = 0;
        std::thread reader([other, &seen] {
            std::array<char, 100'000> taken;
            for (ssize_t n; (n = ::recv(other, taken.data(), taken.size(), 0)) > 0;) seen += static_cast<std::size_t>(n);
        });
        const transfer written = co_await peer.write_all("first ", much, " last");
        CHECK(!written.error);
        CHECK(written.bytes == much.size() + 11);
        peer.shutdown_send();
        reader.join();
        CHECK(seen == much.size() + 11);
        ::close(other);
        peer.no_read_deadline();
        CHECK((co_await peer.read_some(some)).error == error::eof);
        CHECK(peer.look() == stream::glance::closed);

        stream cut(where);
        CHECK(!co_await cut.connect(local(port)));
        const int third = ::accept(server, nullptr, nullptr);
        where.post([&cut] { cut.disconnect(); });
        CHECK((co_await cut.read_some(some)).error);
        CHECK(!cut.is_open());
        CHECK((co_await cut.write_all("x")).error);
        ::close(third);

        stream nobody(where);
        ::close(server);
        CHECK(co_await nobody.connect(local(port)) == error::connection_refused);
        const boost::asio::local::stream_protocol::endpoint nowhere("/no/such/socket");
        CHECK(co_await nobody.connect(nowhere));
    };
    on(here.one, script(here.one, listening, ntohs(address.sin_port)));
}
