#include "gateway/serve/application.hpp"

#include "gateway/audit/recorder.hpp"
#include "gateway/config/report.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/config/watch.hpp"
#include "gateway/http/block_on.hpp"
#include "gateway/http/server.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/log/log.hpp"
#include "gateway/people/api.hpp"
#include "gateway/release/clockwork.hpp"
#include "gateway/serve/admin_api.hpp"
#include "gateway/serve/answers.hpp"
#include "gateway/serve/operations.hpp"
#include "gateway/serve/serve_call.hpp"
#include "gateway/serve/services.hpp"
#include "gateway/serve/worker.hpp"
#include "storage/agent_store.hpp"
#include "storage/data_directory.hpp"
#include "storage/listener.hpp"
#include "storage/private_cluster.hpp"
#include "storage/replica_store.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

namespace sallyport::serve {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

void log_event(std::string_view event, std::string_view detail) { log::warning(event, {{"detail", detail}}); }

std::size_t core_count() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 16); }

// Settings that are taken once, at the start (semantics.md, "Files").
bool same_process_settings(const config::configuration& a, const config::configuration& b)
{
    return a.agents.text() == b.agents.text() && a.people.text() == b.people.text() && a.metrics.text() == b.metrics.text() &&
           a.public_url == b.public_url && a.agents_url == b.agents_url && a.database == b.database;
}

}  // namespace

struct application::parts {
    parts(std::filesystem::path config_files, config::snapshot config) : config_directory(std::move(config_files)), first(std::move(config))
    {
    }

    result<void> open_data(const std::filesystem::path& data);
    result<void> bind();
    result<void> open_database();
    result<void> begin();
    void stop() noexcept;

    worker& worker_of(const http::core& core) const
    {
        return **std::find_if(workers.begin(), workers.end(), [&](const auto& w) { return &w->core() == &core; });
    }
    std::vector<http::core*> cores() const
    {
        std::vector<http::core*> all;
        for (const auto& w : workers) all.push_back(&w->core());
        return all;
    }
    result<std::unique_ptr<http::server>> bind_one(std::vector<http::core*> on, std::string address,
                                                   const std::optional<config::tls_files>& tls,
                                                   std::function<http::awaitable<void>(http::exchange&)> handler);
    void tell(std::string_view channel, std::string_view word);

    const std::filesystem::path config_directory;
    const config::snapshot first;
    const std::string replica = random_text(12);

    // Below, each part may refer to those above it, and is destroyed before them.
    metrics::registry metrics;
    identity::standings standings{first};
    std::optional<storage::data_directory> data;
    std::optional<keyring> keys;
    std::vector<std::unique_ptr<worker>> workers;
    http::core own_core;  // of administrator and operator: may block
    operations ops{metrics, standings};
    std::unique_ptr<storage::private_cluster> cluster;
    std::unique_ptr<storage::database> db;
    std::optional<identity::signing_keys> signing;
    std::unique_ptr<audit::recorder> recorder;
    std::unique_ptr<identity::directory_watch> directory;
    std::unique_ptr<release::hold_maker> holds;
    std::unique_ptr<release::releaser> releaser;
    std::unique_ptr<release::clockwork> clockwork;
    std::unique_ptr<people::event_hub> events;
    std::unique_ptr<people::api> people;
    std::unique_ptr<serve::services> services;
    std::unique_ptr<http::server> metrics_server, admin_server, agents_server, people_server;
    std::unique_ptr<storage::listener> listener;
    std::mutex reloading;
    std::unique_ptr<config::watcher> watcher;
    bool running = false;
};

application::application() = default;

application::~application() { stop(); }

result<void> application::parts::open_data(const std::filesystem::path& path)
{
    auto opened = storage::data_directory::open(path);
    if (!opened) return opened.error();
    data = std::move(*opened);
    auto key = keyring::open_or_create(data->path() / "master.key");
    if (!key) return key.error();
    keys = std::move(*key);
    std::error_code error;
    const auto journals = data->path() / "journal";
    std::filesystem::create_directory(journals, error);
    std::filesystem::permissions(journals, std::filesystem::perms::owner_all, error);
    if (error) return fail(problem::internal_error, journals.string() + " cannot be made.", error.message());
    for (std::size_t i = 0; i < core_count(); ++i) workers.push_back(std::make_unique<worker>(i, metrics, journals));
    return {};
}

result<std::unique_ptr<http::server>> application::parts::bind_one(std::vector<http::core*> on, std::string address,
                                                                   const std::optional<config::tls_files>& tls,
                                                                   std::function<http::awaitable<void>(http::exchange&)> handler)
{
    http::server_options options;
    options.address = std::move(address);
    options.handler = std::move(handler);
    options.problem_document = [this](const failure& why) {
        count_refusal(metrics, why.what);
        return identity::problem_document(why);
    };
    options.log = [](std::string_view what) { log::warning("connection", {{"cause", what}}); };
    options.header_bytes = first->limits.header_bytes;
    options.max_connections = first->limits.connections;
    if (tls) {
        auto context = http::tls_context::server(tls->certificate, tls->key);
        if (!context) return context.error();
        options.tls = std::move(*context);
    }
    return http::server::bind(on, std::move(options));
}

// Before anything that takes long: an address that is taken is known at once.
result<void> application::parts::bind()
{
    const auto one = [&](std::unique_ptr<http::server>& into, std::vector<http::core*> on, std::string address,
                         const std::optional<config::tls_files>& tls,
                         std::function<http::awaitable<void>(http::exchange&)> handler) -> result<void> {
        auto bound = bind_one(std::move(on), std::move(address), tls, std::move(handler));
        if (!bound) return bound.error();
        into = std::move(*bound);
        return {};
    };
    if (auto r = one(metrics_server, {&own_core}, first->metrics.text(), {}, [this](http::exchange& x) { return ops.serve(x); }); !r)
        return r;
    if (auto r = one(admin_server, {&own_core}, (data->path() / "admin.sock").string(), {},
                     [this](http::exchange& x) { return serve_admin(*services, x); });
        !r)
        return r;
    if (auto r = one(agents_server, cores(), first->agents.text(), first->agents_tls,
                     [this](http::exchange& x) { return serve_agent(*services, worker_of(x.core()), x); });
        !r)
        return r;
    return one(people_server, cores(), first->people.text(), first->people_tls, [this](http::exchange& x) { return people->serve(x); });
}

result<void> application::parts::open_database()
{
    storage::database_options options;
    storage::listener_options heard;
    if (first->database.empty()) {
        storage::private_cluster_options cluster_options;
        cluster_options.on_event = log_event;
        auto started = storage::private_cluster::start(*data, std::move(cluster_options));
        if (!started) return started.error();
        cluster = std::move(*started);
        options.uri = heard.uri = cluster->uri();
    } else {
        options.uri = heard.uri = first->database;
        if (first->database_password) {
            auto password = config::read(*first->database_password);
            if (!password) return password.error();
            heard.password = password->copy();
            options.password = std::move(*password);
        }
    }
    options.on_event = log_event;
    auto opened = storage::database::open(std::move(options));
    if (!opened) return opened.error();
    db = std::move(*opened);

    const auto registered =
        db->run_blocking([this](storage::transaction& tx) { storage::replica_store::start(tx, replica, data->node()); });
    if (!registered) return registered.error();
    auto keys_of_ours = identity::signing_keys::load(*db, *keys);
    if (!keys_of_ours) return keys_of_ours.error();
    signing = std::move(*keys_of_ours);

    heard.heard = [this](std::string_view channel, std::string_view word) { tell(channel, word); };
    heard.reconnected = [this] {
        for (const auto& w : workers) w->core().post([&at = *w] { at.wake_all_waiting(); });
        if (events) events->missed();
        directory->wake();
        releaser->wake();
    };
    heard.on_event = log_event;

    directory = std::make_unique<identity::directory_watch>(*db, *keys, standings);
    if (const auto read = directory->refresh(); !read) return read.error();
    std::vector<audit::journal*> journals;
    for (const auto& w : workers) journals.push_back(&w->journal());
    recorder = std::make_unique<audit::recorder>(*db, journals, data->path() / "journal");
    holds = std::make_unique<release::hold_maker>(*db, standings);
    std::vector<release::lane> lanes;
    for (const auto& w : workers) lanes.push_back({&w->core(), &w->upstreams()});
    releaser = std::make_unique<release::releaser>(*db, *keys, standings, *signing, metrics, replica, std::move(lanes));
    clockwork = std::make_unique<release::clockwork>(*db, standings, *releaser, metrics, replica);
    events = std::make_unique<people::event_hub>(*db);
    people = std::make_unique<people::api>(
        people::people_context{*db, standings, *keys, *events, [this](hold_id) { releaser->wake(); }, [this] { directory->wake(); },
                               [this](const hold& closed) { release::count_closed(metrics, closed); }, &web::find_page, &web::find_asset});
    services = std::make_unique<serve::services>(
        serve::services{metrics, *db, *keys, standings, *signing, *holds, *releaser, *directory, *recorder,
                        metrics.time("sallyport_call_seconds", "The gateway's own share of a call.", {})});
    listener = std::make_unique<storage::listener>(std::move(heard));
    return {};
}

// On the listener's thread.
void application::parts::tell(std::string_view channel, std::string_view word)
{
    if (channel == storage::directory_channel) return directory->wake();
    const auto id = hold_id::parse(word);
    if (!id) return;
    for (const auto& w : workers) w->core().post([&at = *w, hold = *id] { at.wake_waiting(hold); });
    events->changed(*id);
    releaser->wake();
}

result<void> application::parts::begin()
{
    standings.subscribe([this](const identity::standing_ptr& next) {
        for (const auto& w : workers) w->core().post([&at = *w, next] { at.adopt(next); });
    });
    const auto complain = [](std::string_view what) { log::error("core failed", {{"cause", what}}); };
    for (const auto& w : workers) {
        w->core().post([index = w->index()] { metrics::set_core(index); });
        w->core().start(complain);
    }
    directory->start();
    releaser->start();
    clockwork->start();
    ops.db = db.get();
    ops.recorder = recorder.get();
    ops.started.store(true, std::memory_order_release);
    admin_server->start();
    agents_server->start();
    people_server->start();
    running = true;
    return {};
}

void application::parts::stop() noexcept
try {
    watcher.reset();
    ops.stopping = true;
    if (running) {
        const auto now = clock::now();
        http::block_on(own_core, [&] { return agents_server->stop(now + 4s); });
        http::block_on(own_core, [&] { return people_server->stop(now + 5s); });
        releaser->stop(now + 6s);
        http::block_on(own_core, [&] { return admin_server->stop(clock::now() + 500ms); });
    }
    if (listener) listener->stop();
    if (clockwork) clockwork->stop();
    if (directory) directory->stop();
    if (recorder) recorder->stop();
    if (db) {
        const auto ended = db->run_blocking([this](storage::transaction& tx) { storage::replica_store::end(tx, replica); });
        if (!ended) log::warning("the end was not written down", {{"cause", ended.error().cause}});
        db->stop();
    }
    if (metrics_server && running) http::block_on(own_core, [&] { return metrics_server->stop(clock::now() + 500ms); });
    for (const auto& w : workers) w->core().stop();
    own_core.stop();
    if (cluster) cluster->stop();
    running = false;
} catch (const std::exception& e) {
    log::error("stopping failed", {{"cause", e.what()}});
}

result<std::unique_ptr<application>> application::start(const std::filesystem::path& config_directory, const std::filesystem::path& data,
                                                        config::snapshot config)
{
    std::unique_ptr<application> app(new application);
    app->parts_ = std::make_unique<parts>(config_directory, std::move(config));
    parts& p = *app->parts_;
    if (auto r = p.open_data(data); !r) return r.error();
    if (auto r = p.bind(); !r) return r.error();
    p.own_core.start([](std::string_view what) { log::error("core failed", {{"cause", what}}); });
    p.metrics_server->start();
    if (auto r = p.open_database(); !r) return r.error();
    if (auto r = p.begin(); !r) return r.error();
    // The watcher first, then one more look: a change between the first reading and now is not missed.
    p.watcher = std::make_unique<config::watcher>(config_directory, [self = app.get()] { self->reload(); });
    app->reload();
    log::info("ready", {{"agents", p.agents_server->address()},
                        {"people", p.people_server->address()},
                        {"metrics", p.metrics_server->address()},
                        {"policy", p.first->digest}});
    return app;
}

void application::reload()
{
    const std::lock_guard one(parts_->reloading);
    const auto loaded = config::load(parts_->config_directory);
    if (!loaded.config) {
        for (const auto& error : loaded.errors) log::error("configuration not loaded", {{"error", config::line_of(error)}});
        return;
    }
    const auto current = parts_->standings.current()->config;
    if (!same_process_settings(*parts_->first, *loaded.config))
        log::warning("listen, public_url, agents_url, database and tls change only with a restart");
    if (loaded.config->digest == current->digest) return;
    parts_->standings.publish(loaded.config);
    log::info("configuration loaded", {{"policy", loaded.config->digest}, {"warnings", loaded.warnings.size()}});
}

void application::housekeep()
{
    for (const auto& w : parts_->workers)
        w->core().post([&at = *w, db = parts_->db.get()] {
            const auto seen = at.take_seen();
            if (seen.empty()) return;
            std::vector<storage::agent_store::seen> rows;
            for (const auto& [agent, when] : seen) rows.push_back({agent, when});
            db->run_then([rows = std::move(rows)](storage::transaction& tx) { storage::agent_store::touch(tx, rows); },
                         [](const result<void>& done) {
                             if (!done && done.error().what != problem::storage_unavailable)
                                 log::error("last seen not written", {{"cause", done.error().cause}});
                         });
        });
}

void application::stop() noexcept
{
    if (parts_) parts_->stop();
    parts_.reset();
}

}  // namespace sallyport::serve
