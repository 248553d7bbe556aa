#include "gateway/serve/application.hpp"

#include "gateway/audit/recorder.hpp"
#include "gateway/config/load.hpp"
#include "gateway/config/report.hpp"
#include "gateway/config/secrets.hpp"
#include "gateway/config/watch.hpp"
#include "gateway/http/block_on.hpp"
#include "gateway/http/server.hpp"
#include "gateway/identity/decision_token.hpp"
#include "gateway/identity/push_subscription.hpp"
#include "gateway/jose/random.hpp"
#include "gateway/log/log.hpp"
#include "gateway/notify/dispatcher.hpp"
#include "gateway/notify/push.hpp"
#include "gateway/notify/slack_desk.hpp"
#include "gateway/openid/client.hpp"
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
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <future>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include <sched.h>
#include <sys/stat.h>

namespace sallyport::serve {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

void log_event(std::string_view event, std::string_view detail) { log::warning(event, {{"detail", detail}}); }

// Those that this process may use: a container or taskset may have given it fewer than the machine has.
std::size_t core_count()
{
    cpu_set_t ours;
    CPU_ZERO(&ours);
    const bool known = ::sched_getaffinity(0, sizeof ours, &ours) == 0;
    return std::clamp<std::size_t>(known ? static_cast<std::size_t>(CPU_COUNT(&ours)) : std::thread::hardware_concurrency(), 1, 16);
}

// When each thing that still goes on is cut, if it has not ended by itself: what is sent upstream while the database can
// still be told of it, the database while its PostgreSQL can still end in order.
struct stop_times {
    explicit stop_times(clock::time_point begin)
        : upstreams(begin + 5500ms),
          connections(begin + 6000ms),
          outcomes(begin + 6500ms),
          database(begin + 7500ms),
          cluster(begin + 9200ms)
    {
    }
    clock::time_point upstreams, connections, outcomes, database, cluster;
};

// In [0, 1).
double chance()
{
    std::uint32_t drawn = 0;
    const std::string bytes = random_bytes(sizeof drawn);
    std::memcpy(&drawn, bytes.data(), sizeof drawn);
    return drawn / 4294967296.0;
}

std::string joined(const std::vector<std::string_view>& words)
{
    std::string all;
    for (const auto word : words) all.append(all.empty() ? "" : ", ").append(word);
    return all;
}

// Whether a file is another one, or was written, since it was looked at.
struct file_stamp {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = 0, changed = 0;
    friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

file_stamp stamp_of(const std::filesystem::path& path)
{
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino, found.st_size, found.st_ctim.tv_sec * 1'000'000'000 + found.st_ctim.tv_nsec};
}

using pair_stamp = std::array<file_stamp, 2>;

pair_stamp stamp_of(const config::tls_files& files) { return {stamp_of(files.certificate), stamp_of(files.key)}; }

}  // namespace

struct application::parts {
    parts(std::filesystem::path config_files, std::shared_ptr<config::configuration> config)
        : config_directory(std::move(config_files)),
          written(*config),
          first(std::move(config)),
          standings(first)
    {
    }

    result<void> open_data(const std::filesystem::path& data);
    result<void> bind();
    result<void> open_database(const std::stop_token& given_up);
    result<void> begin();
    void reload(bool at_start);
    void renew_listeners(bool only_if_changed);
    http::awaitable<void> end_serving(stop_times by);
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
    metrics::counter& decisions(std::string_view pace)
    {
        return metrics.count("sallyport_decisions_total", "Decisions, by whether they came sooner than their text can be read.",
                             {{"pace", pace}});
    }

    const std::filesystem::path config_directory;
    const config::process_settings written;              // as the files had them at the start
    const std::shared_ptr<config::configuration> first;  // as it runs: bind() puts the ports in, and then nobody changes it
    const std::string replica = random_text(12);

    // Below, each part may refer to those above it, and is destroyed before them.
    metrics::registry metrics;
    metrics::counter& broken_glass =
        metrics.count("sallyport_break_glass_total", "Holds that somebody approved alone, by breaking the glass.", {});
    metrics::counter& pace_fast = decisions("fast");
    metrics::counter& pace_read = decisions("read");
    metrics::counter& pace_unknown = decisions("unknown");
    identity::standings standings;
    std::optional<storage::data_directory> data;
    std::optional<keyring> keys;
    std::vector<std::unique_ptr<worker>> workers;
    http::core own_core;    // the operator's, and of what ends the others: never blocks
    http::core admin_core;  // the administrator's: may block
    operations ops{metrics, standings};
    std::unique_ptr<storage::private_cluster> cluster;
    std::unique_ptr<storage::database> db;
    std::optional<identity::signing_keys> signing;
    std::unique_ptr<audit::recorder> recorder;
    std::unique_ptr<identity::directory_watch> directory;
    std::unique_ptr<release::hold_maker> holds;
    std::unique_ptr<release::releaser> releaser;
    std::unique_ptr<release::clockwork> clockwork;
    std::unique_ptr<notify::dispatcher> dispatcher;
    std::unique_ptr<notify::slack_desk> slack;
    std::unique_ptr<people::event_hub> events;
    openid::client openid;
    std::unique_ptr<people::api> people;
    std::unique_ptr<serve::services> services;
    std::unique_ptr<http::server> metrics_server, admin_server, agents_server, people_server;
    std::unique_ptr<storage::listener> listener;
    std::mutex reloading;
    pair_stamp agents_pair, people_pair;  // as last tried
    std::unique_ptr<config::watcher> watcher;
    bool own_core_runs = false;
    bool workers_run = false;
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
    // Before they are read: what changes later is news.
    if (first->agents_tls) agents_pair = stamp_of(*first->agents_tls);
    if (first->people_tls) people_pair = stamp_of(*first->people_tls);
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
    if (auto r = one(admin_server, {&admin_core}, (data->path() / "admin.sock").string(), {},
                     [this](http::exchange& x) { return serve_admin(*services, x); });
        !r)
        return r;
    if (auto r = one(agents_server, cores(), first->agents.text(), first->agents_tls,
                     [this](http::exchange& x) { return serve_agent(*services, worker_of(x.core()), x); });
        !r)
        return r;
    if (auto r =
            one(people_server, cores(), first->people.text(), first->people_tls, [this](http::exchange& x) { return people->serve(x); });
        !r)
        return r;
    first->bound(agents_server->port(), people_server->port(), metrics_server->port());
    return {};
}

result<void> application::parts::open_database(const std::stop_token& given_up)
{
    const config::process_settings& process = *first;
    storage::database_options options;
    storage::listener_options heard;
    if (process.database.empty()) {
        storage::private_cluster_options cluster_options;
        cluster_options.given_up = given_up;
        cluster_options.on_event = log_event;
        auto started = storage::private_cluster::start(*data, std::move(cluster_options));
        if (!started) return started.error();
        cluster = std::move(*started);
        options.uri = heard.uri = cluster->uri();
    } else {
        options.uri = heard.uri = process.database;
        if (process.database_password) {
            auto password = config::read(*process.database_password);
            if (!password) return password.error();
            heard.password = password->copy();
            options.password = std::move(*password);
        }
    }
    options.given_up = given_up;
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
        dispatcher->wake();
    };
    heard.on_event = log_event;

    directory = std::make_unique<identity::directory_watch>(*db, *keys, standings);
    if (const auto read = directory->refresh(); !read) return read.error();
    std::vector<audit::journal*> journals;
    for (const auto& w : workers) journals.push_back(&w->journal());
    recorder = std::make_unique<audit::recorder>(*db, audit::log_tree(signing->checkpoint()), journals, data->path() / "journal",
                                                 data->path() / "checkpoint");
    holds = std::make_unique<release::hold_maker>(*db, standings, *keys);
    std::vector<release::lane> lanes;
    for (const auto& w : workers) lanes.push_back({&w->core(), &w->upstreams()});
    releaser = std::make_unique<release::releaser>(*db, *keys, standings, *signing, metrics, replica, std::move(lanes));
    clockwork = std::make_unique<release::clockwork>(*db, standings, *releaser, metrics, replica);
    notify::dispatcher_options deliver;
    deliver.chance = chance;
    deliver.decision_key = keys->derive(identity::decision_token_purpose);
    deliver.keys = *keys;
    deliver.make = [key = signing->push()](const config::configuration& c) {
        notify::channel_map all = notify::make_channels(c);
        all.emplace("push", notify::make_push(c, key));
        return all;
    };
    dispatcher = std::make_unique<notify::dispatcher>(*db, standings, metrics, std::move(deliver));
    slack = std::make_unique<notify::slack_desk>(standings);
    events = std::make_unique<people::event_hub>(*db);
    people = std::make_unique<people::api>(people::people_context{
        *db, standings, *keys, *events, [this](hold_id) { releaser->wake(); }, [this] { directory->wake(); },
        [this](const hold& closed) { release::count_closed(metrics, closed); }, [this](const hold&) { broken_glass.add(); },
        [this](notifiers::slack_errand errand) { return slack->take(std::move(errand)); }, &web::find_page, &web::find_asset, &openid,
        identity::push_public_key(signing->push()),
        [this](const decision& d) {
            (!d.fast ? pace_unknown : *d.fast ? pace_fast : pace_read).add();
        }});
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
    dispatcher->wake();
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
    admin_core.start(complain);
    workers_run = true;
    directory->start();
    releaser->start();
    clockwork->start();
    dispatcher->start();
    slack->start();
    people->start();
    ops.db = db.get();
    ops.recorder = recorder.get();
    ops.started.store(true, std::memory_order_release);
    admin_server->start();
    agents_server->start();
    people_server->start();
    return {};
}

// On own_core. A server that was never started has nothing to end, and its cores may not run.
http::awaitable<void> application::parts::end_serving(stop_times by)
{
    http::task_group ending(own_core.get_executor(), [](std::string_view what) { log::error("stopping failed", {{"cause", what}}); });
    for (const auto* server : {&agents_server, &people_server, &admin_server})
        if (*server) ending.spawn((*server)->stop(by.connections));
    co_await ending.join();
}

void application::parts::stop() noexcept
try {
    const stop_times by(clock::now());
    ops.stopping = true;
    if (db) db->end_by(by.database);
    if (listener) listener->end();
    openid.cut();
    watcher.reset();
    {
        // Whatever waits for an upstream ends as what it then is, so that connections and releases can end.
        const std::jthread cutter([this, at = by.upstreams](const std::stop_token& ended) {
            std::mutex mutex;
            std::condition_variable_any time;
            std::unique_lock lock(mutex);
            time.wait_until(lock, ended, at, [] { return false; });
            if (ended.stop_requested()) return;
            for (const auto& w : workers) w->core().post([&pool = w->upstreams()] { pool.stop(); });
        });
        std::future<void> releases;
        if (releaser && workers_run) releases = std::async(std::launch::async, [this, at = by.outcomes] { releaser->stop(at); });
        if (own_core_runs) http::block_on(own_core, [this, by] { return end_serving(by); });
        if (releases.valid()) releases.get();
    }
    if (listener) listener->stop();
    openid.stop();
    if (clockwork) clockwork->stop();
    if (dispatcher) dispatcher->stop();
    if (people) people->stop();
    if (slack) slack->stop();
    if (directory) directory->stop();
    if (recorder) recorder->stop();
    if (db) {
        const auto ended = db->run_blocking([this](storage::transaction& tx) { storage::replica_store::end(tx, replica); });
        if (!ended) log::warning("the end was not written down", {{"cause", ended.error().cause}});
        db->stop();
    }
    if (metrics_server && own_core_runs) http::block_on(own_core, [this] { return metrics_server->stop(clock::now() + 200ms); });
    for (const auto& w : workers) w->core().join();
    admin_core.join();
    own_core.join();
    own_core_runs = workers_run = false;
    if (cluster) cluster->stop(by.cluster);
} catch (const std::exception& e) {
    log::error("stopping failed", {{"cause", e.what()}});
}

result<std::unique_ptr<application>> application::start(const std::filesystem::path& config_directory, const std::filesystem::path& data,
                                                        std::shared_ptr<config::configuration> config, const std::stop_token& given_up)
{
    std::unique_ptr<application> app(new application);
    app->parts_ = std::make_unique<parts>(config_directory, std::move(config));
    parts& p = *app->parts_;
    if (auto r = p.open_data(data); !r) return r.error();
    if (auto r = p.bind(); !r) return r.error();
    p.own_core.start([](std::string_view what) { log::error("core failed", {{"cause", what}}); });
    p.own_core_runs = true;
    p.metrics_server->start();
    if (auto r = p.open_database(given_up); !r) return r.error();
    if (given_up.stop_requested()) return fail(problem::storage_unavailable, "The start was given up.");
    if (auto r = p.begin(); !r) return r.error();
    // The watcher first, then one more look: a change between the first reading and now is not missed.
    p.watcher = std::make_unique<config::watcher>(config_directory, [self = app.get()] { self->reload(); });
    p.reload(true);
    const auto running = p.standings.current()->config;
    log::info("ready", {{"agents", p.agents_server->address()},
                        {"people", p.people_server->address()},
                        {"metrics", p.metrics_server->address()},
                        {"agents_url", running->agents_url},
                        {"public_url", running->public_url},
                        {"policy", running->digest}});
    return app;
}

void application::reload() { parts_->reload(false); }

void application::parts::reload(bool at_start)
{
    const std::lock_guard one(reloading);
    if (!at_start) renew_listeners(false);
    const auto loaded = config::load(config_directory);
    if (!loaded.config) {
        for (const auto& error : loaded.errors) log::error("configuration not loaded", {{"error", config::line_of(error)}});
        return;
    }
    if (const auto fixed = config::restart_needed(written, *loaded.config); !fixed.empty())
        log::warning("changes only with a restart", {{"keys", joined(fixed)}});
    const bool same_policy = loaded.config->digest == standings.current()->config->digest;
    if (at_start && same_policy) return;
    static_cast<config::process_settings&>(*loaded.config) = *first;
    const config::snapshot next = loaded.config;
    standings.publish(next);
    for (const auto* server : {&agents_server, &people_server})
        (*server)->change({nullptr, next->limits.header_bytes, next->limits.connections});
    // The digest does not cover notifiers: they may be others under the same one.
    log::info("configuration loaded", {{"policy", next->digest}, {"policy_changed", !same_policy}, {"warnings", loaded.warnings.size()}});
    for (const auto& warning : loaded.warnings) log::warning("configuration", {{"warning", config::line_of(warning)}});
}

// The listeners' certificates and keys, where the files have others now. A pair that does not fit, as between the two
// writes of whoever renews them, is said and not used: connections get the one before.
void application::parts::renew_listeners(bool only_if_changed)
{
    const auto limits = standings.current()->config->limits;
    const auto renew = [&](const char* name, http::server& server, const std::optional<config::tls_files>& files, pair_stamp& seen) {
        if (!files) return;
        const auto before = std::exchange(seen, stamp_of(*files));
        if (only_if_changed && seen == before) return;
        auto context = http::tls_context::server(files->certificate, files->key);
        if (!context) {
            log::error("certificate not loaded",
                       {{"listener", name}, {"problem", context.error().detail}, {"cause", context.error().cause}});
            return;
        }
        server.change({std::move(*context), limits.header_bytes, limits.connections});
        log::info("certificate loaded", {{"listener", name}});
    };
    renew("agents", *agents_server, first->agents_tls, agents_pair);
    renew("people", *people_server, first->people_tls, people_pair);
}

void application::housekeep()
{
    {
        const std::lock_guard one(parts_->reloading);
        parts_->renew_listeners(true);
    }
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
