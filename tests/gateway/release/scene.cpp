#include "tests/gateway/release/scene.hpp"

#include "gateway/canonical/content_digest.hpp"
#include "gateway/config/load.hpp"
#include "gateway/config/report.hpp"
#include "gateway/http/block_on.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/release/hold_moves.hpp"
#include "gateway/release/payload.hpp"
#include "gateway/release/recheck.hpp"
#include "storage/passkey_store.hpp"
#include "storage/replica_store.hpp"
#include "tests/gateway/config/directory.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport::release::testing {
namespace {

constexpr auto patience = 20s;

}  // namespace

// --- upstream -----------------------------------------------------------------------------------------------------------

upstream::upstream(script s) : script_(std::move(s)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &length) == 0);
    port_ = ntohs(at.sin_port);
}

upstream::~upstream()
{
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
}

std::string upstream::response(std::string_view status, std::string_view body)
{
    return "HTTP/1.1 " + std::string(status) +
           "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
}

void upstream::open()
{
    REQUIRE(::listen(listener_, 16) == 0);
    thread_ = std::thread([this] { accept(); });
}

void upstream::accept()
{
    for (;;) {
        const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer < 0) return;
        std::string text;
        char bytes[16384];
        const auto whole = [&] {
            const auto end = text.find("\r\n\r\n");
            if (end == std::string::npos) return false;
            const auto length = text.find("Content-Length: ");
            return text.size() >= end + 4 + (length < end ? std::stoul(text.substr(length + 16)) : 0);
        };
        while (!whole()) {
            const auto n = ::recv(peer, bytes, sizeof bytes, 0);
            if (n <= 0) break;
            text.append(bytes, static_cast<std::size_t>(n));
        }
        if (whole()) {
            int nth = 0;
            {
                const std::lock_guard lock(mutex_);
                nth = static_cast<int>(requests_.size());
                requests_.push_back(text);
            }
            came_.notify_all();
            std::string_view answer;
            const std::string said = script_(nth);
            for (answer = said; !answer.empty();) {
                const auto n = ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
                if (n <= 0) break;
                answer.remove_prefix(static_cast<std::size_t>(n));
            }
        }
        ::close(peer);
    }
}

int upstream::requests()
{
    const std::lock_guard lock(mutex_);
    return static_cast<int>(requests_.size());
}

std::string upstream::request(int nth)
{
    std::unique_lock lock(mutex_);
    REQUIRE(came_.wait_for(lock, patience, [&] { return static_cast<int>(requests_.size()) > nth; }));
    return requests_[static_cast<std::size_t>(nth)];
}

// --- lost commits -------------------------------------------------------------------------------------------------------

lost_commits::lost_commits()
{
    storage::as_superuser("ALTER DATABASE postgres SET synchronous_commit = 'local'");
    storage::as_superuser("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    storage::as_superuser("SELECT pg_reload_conf()");
}

lost_commits::~lost_commits()
{
    storage::as_superuser("ALTER SYSTEM RESET synchronous_standby_names");
    storage::as_superuser("SELECT pg_reload_conf()");
    storage::as_superuser("ALTER DATABASE postgres RESET synchronous_commit");
}

void lost_commits::of_moves(storage::fixture& in, std::string_view from, std::string_view to)
{
    in.sql("CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
           "PERFORM set_config('synchronous_commit', 'on', true); RETURN NEW; END $$;"
           "CREATE TRIGGER lose AFTER UPDATE ON holds FOR EACH ROW WHEN (OLD.status = '" +
           std::string(from) + "' AND NEW.status = '" + std::string(to) + "') EXECUTE FUNCTION lose()");
}

void lost_commits::lose_one(storage::fixture& in)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    std::string pid;
    while ((pid = in.ask("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' LIMIT 1")).empty())
        REQUIRE(std::chrono::steady_clock::now() < until);
    storage::as_superuser("SELECT pg_terminate_backend(" + pid + ", 5000)");
    storage::as_superuser("ALTER SYSTEM RESET synchronous_standby_names");
    storage::as_superuser("SELECT pg_reload_conf()");
}

// --- the house ----------------------------------------------------------------------------------------------------------

scene::scene(std::uint16_t upstream_port, const options& with)
    : storage::fixture(4),
      keys(keyring::open_or_create(files.path() / "master.key").value())
{
    core.start();
    bot = storage::agent_of(1, "refund-bot", {owner_name::kind::person, "grace"});
    in([&](storage::transaction& tx) {
        ada = storage::add_person(tx, "ada");
        grace = storage::add_person(tx, "grace");
        storage::agent_store::add(tx, bot).value();
        storage::replica_store::start(tx, "here", "node of here");
        storage::replica_store::start(tx, "there", "node of there");
    });
    // Whoever has a passkey can be reached.
    sql("INSERT INTO passkeys (credential_id, person, public_key, sign_count, user_handle, transports, name, created_at) "
        "SELECT id::text::bytea, id, 'x', 0, 'x', '{}', 'key', now() FROM people");
    configure(upstream_port, with);
    signing = identity::signing_keys::load(db(), keys).value();
    directory.emplace(db(), keys, *standings);
    read_directory();
    maker.emplace(db(), *standings, keys);
}

scene::~scene()
{
    stop_releaser(1s);
    releaser_.reset();
    // What belongs to a core is destroyed on it.
    http::block_on(core, [this]() -> http::awaitable<void> {
        pool.reset();
        co_return;
    });
    core.stop();
}

void scene::configure(std::uint16_t upstream_port, const options& with, std::string_view scheme)
{
    const config::testing::directory files_of_it{{"all.yaml", R"(
routes:
  - id: payments
    prefix: /payments
    upstream: )" + std::string(scheme) + "://127.0.0.1:" + std::to_string(upstream_port) +
                                                                  "\n" + with.route + R"(
policies:
  - id: all-but-reads
    route: payments
    when: ')" + std::string(with.when) + R"('
    verdict: hold
    workflow: finance
workflows:
  finance:
    assurance: click
    )" + with.workflow + R"(
    steps:
      - { notify: ["person:ada"], for: 10m }
limits: { )" + with.limits + " }\n"}};
    auto loaded = config::load(files_of_it.path());
    for (const auto& e : loaded.errors) MESSAGE(config::line_of(e));
    REQUIRE(loaded.config);
    if (standings)
        standings->publish(loaded.config);
    else
        standings.emplace(loaded.config);
}

void scene::read_directory() { directory->refresh().value(); }

action scene::some_action(std::string method, std::string body)
{
    action a;
    a.id = action_id::make(now(), random10());
    a.agent = bot.id;
    a.route = "payments";
    a.method = std::move(method);
    a.authority = standings->current()->config->find_route("payments")->upstream.authority;
    a.target = "/v1/refunds";
    if (!body.empty()) {
        a.headers = {{"content-type", "application/json"}};
        a.content_digest = content_digest(body);
    }
    a.body = std::move(body);
    return a;
}

held_call scene::call(const action& a)
{
    held_call h;
    storage::action_record& r = h.record;
    r.id = a.id;
    r.agent = a.agent;
    r.route = a.route;
    r.policy = standings->current()->config->digest;
    r.method = a.method;
    r.scheme = "http";
    r.authority = a.authority;
    r.target = a.target;
    r.request_host = "gate.example";
    r.request_target = "/payments/v1/refunds";
    r.content_digest = a.content_digest.value_or("");
    r.digest = action_digest(a).base64url();
    r.content_length = static_cast<std::int64_t>(a.body.size());
    r.media_type = a.body.empty() ? "" : "application/json";
    r.sealed_payload = seal_payload(keys, a);
    r.rules = "[]";
    h.id = hold_id::make(now(), random10());
    h.reasons = {{"all-but-reads", "Refund 900"}};
    h.workflows = {standings->current()->config->workflows.at("finance")};
    return h;
}

hold_id scene::hold_it(std::string method)
{
    const bool bodiless = method == "HEAD";
    auto made = call(some_action(std::move(method), bodiless ? "" : R"({"amount":900})"));
    const hold_id id = made.id;
    std::optional<result<made_hold>> done;
    http::block_on(core, [&]() -> http::awaitable<void> {
        auto making = maker->make(core.get_executor(), std::move(made));
        done = co_await std::move(making);
    });
    REQUIRE(done->has_value());
    REQUIRE((*done)->what.what == storage::created::kind::created);
    return id;
}

hold_id scene::approved(std::string method)
{
    const hold_id id = hold_it(std::move(method));
    const auto standing = standings->current();
    happened::decided yes;
    yes.given.id = decision_id::make(now(), random10());
    yes.given.by = ada.id;
    yes.given.kind = decision_kind::approve;
    yes.release_window = standing->config->limits.release_window;
    const auto moved = db().run_blocking([&](storage::transaction& tx) { return apply(tx, id, yes, *standing->directory); });
    REQUIRE(moved.has_value());
    REQUIRE(moved->hold.hold.status == hold_status::approved);
    if (releaser_) releaser_->wake();
    return id;
}

storage::stored_hold scene::stored_whole(hold_id id)
{
    return in([&](storage::transaction& tx) { return storage::hold_store::get(tx, id, storage::payload::read).value(); });
}

hold scene::stored(hold_id id) { return stored_whole(id).hold; }

void scene::until(const std::string& question)
{
    const auto limit = std::chrono::steady_clock::now() + patience;
    while (ask(question) != "t") REQUIRE_MESSAGE(std::chrono::steady_clock::now() < limit, question);
}

hold scene::when(hold_id id, hold_status status)
{
    until("SELECT status = '" + std::string(name_of(status)) + "' FROM holds WHERE id = '" + id.text() + "'");
    return stored(id);
}

std::string scene::counted(std::string_view status)
{
    const std::string text = metrics.text(), line = "sallyport_hold_seconds_count{outcome=\"" + std::string(status) + "\"} ";
    const auto at = text.find(line);
    if (at == std::string::npos) return {};
    return text.substr(at + line.size(), text.find('\n', at) - at - line.size());
}

releaser& scene::releaser()
{
    if (!releaser_) {
        releaser_ =
            std::make_unique<release::releaser>(db(), keys, *standings, *signing, metrics, "here", std::vector<lane>{{&core, pool.get()}});
        releaser_->start();
    }
    return *releaser_;
}

void scene::stop_releaser(std::chrono::milliseconds within)
{
    if (releaser_ && !stopped_) releaser_->stop(std::chrono::steady_clock::now() + within);
    stopped_ = true;
}

}  // namespace sallyport::release::testing
