// Batches: nothing is lost, nothing comes twice, and nobody waits for a slow one longer than must be.
#include "gateway/notify/dispatcher.hpp"

#include "storage/directory_store.hpp"
#include "storage/outbox_store.hpp"
#include "tests/storage/holds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::notify {
namespace {

using namespace std::chrono_literals;
using storage::outbox_entry;

// What nobody rings for, the database and a channel's `cut`, is looked at again and again, by a clock.
bool look(const std::function<bool()>& true_now, std::chrono::milliseconds within = 15s)
{
    std::mutex mutex;
    std::condition_variable clock;
    std::unique_lock lock(mutex);
    const auto end = std::chrono::steady_clock::now() + within;
    while (!true_now()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        clock.wait_for(lock, 5ms);
    }
    return true;
}

class fake_channel : public notifiers::channel {
public:
    using answer = std::function<notifiers::delivery(const notifiers::notice&, int nth)>;
    explicit fake_channel(answer how) : how_(std::move(how)) {}
    notifiers::delivery deliver(const notifiers::notice& n) override
    {
        int nth = 0;
        {
            const std::lock_guard lock(mutex_);
            nth = ++told_[n.key];
        }
        return how_(n, nth);
    }
    duration longest_delivery() const noexcept override { return 5s; }
    void cut() noexcept override { cut_ = true; }

    bool is_cut() const noexcept { return cut_; }
    std::map<std::string, int> told() const
    {
        const std::lock_guard lock(mutex_);
        return told_;
    }

private:
    const answer how_;
    mutable std::mutex mutex_;
    std::map<std::string, int> told_;
    std::atomic<bool> cut_{false};
};

struct desk : storage::holds {
    metrics::registry metrics;
    std::shared_ptr<config::configuration> config = std::make_shared<config::configuration>();
    std::unique_ptr<identity::standings> standings;
    std::map<std::string, std::shared_ptr<fake_channel>> channels;
    std::unique_ptr<dispatcher> runs;

    desk() : holds(6)
    {
        config->public_url = "https://gate.example";
        standings = std::make_unique<identity::standings>(config);
        in([&](storage::transaction& tx) {
            auto all = storage::directory_store::load(tx);
            standings->publish(std::make_shared<const directory>(all.generation, std::move(all.people), std::vector<std::string>{},
                                                                 std::move(all.agents), identity::arrangements_of(config)),
                               std::make_shared<const identity::credential_map>());
        });
    }
    ~desk()
    {
        if (runs) runs->stop();
    }

    /// So many holds, each told once by each of those channels.
    void tell(unsigned how_many, const std::vector<std::string>& by)
    {
        in([&](storage::transaction& tx) {
            const auto now = tx.now();
            for (unsigned i = 1; i <= how_many; ++i) {
                auto h = make(i, now);
                h.tell.clear();
                for (const std::string& name : by) {
                    outbox_entry& m = h.tell.emplace_back();
                    m.key = name + "/" + std::to_string(i);
                    m.channel = name;
                    m.hold = h.hold.id;
                }
                create(tx, h);
            }
        });
    }
    std::shared_ptr<fake_channel> add(const std::string& name, fake_channel::answer how)
    {
        return channels[name] = std::make_shared<fake_channel>(std::move(how));
    }
    void start()
    {
        dispatcher_options options;
        options.poll = 50ms;
        options.make = [this](const config::configuration&) {
            channel_map all;
            for (const auto& [name, one] : channels) all.emplace(name, one);
            return all;
        };
        runs = std::make_unique<dispatcher>(db(), *standings, metrics, std::move(options));
        runs->start();
    }
    std::string count(const std::string& channel, const std::string& more)
    {
        return ask("SELECT count(*) FROM " + schema() + ".outbox WHERE channel = '" + channel + "' AND " + more);
    }
    void until(const std::function<bool()>& true_now, std::chrono::milliseconds within = 15s) const { CHECK(look(true_now, within)); }
};

notifiers::delivery taken(const notifiers::notice&, int) { return notifiers::delivered{}; }

}  // namespace

TEST_CASE("every message of many is told once, and written down")
{
    desk d;
    d.tell(300, {"ops"});
    const auto ops = d.add("ops", taken);
    d.start();
    d.until([&] { return d.count("ops", "state = 'sent'") == "300"; });
    const auto told = ops->told();
    CHECK(told.size() == 300);
    CHECK(std::all_of(told.begin(), told.end(), [](const auto& one) { return one.second == 1; }));
    CHECK(d.count("ops", "attempts <> 1") == "0");
    CHECK(d.in([](storage::transaction& tx) { return storage::outbox_store::counts(tx)["ops"]; }).last_sent_at);
}

TEST_CASE("one that hangs delays neither those claimed with it nor another channel")
{
    desk d;
    d.tell(120, {"ops", "room"});
    std::atomic<bool> go{false};
    std::shared_ptr<fake_channel> ops;
    ops = d.add("ops", [&](const notifiers::notice& n, int) -> notifiers::delivery {
        if (n.key == "ops/7") look([&] { return go || ops->is_cut(); });
        return notifiers::delivered{};
    });
    d.add("room", taken);
    d.start();
    d.until([&] { return d.count("room", "state = 'sent'") == "120" && d.count("ops", "state = 'sent'") == "119"; }, 4s);
    go = true;
    d.until([&] { return d.count("ops", "state = 'sent'") == "120"; });
    CHECK(ops->told().at("ops/7") == 1);
}

TEST_CASE("where all hang, what was claimed with them is given back, as if it had not been taken")
{
    desk d;
    d.tell(200, {"ops"});
    std::atomic<bool> hang{false}, over{false};
    std::atomic<int> hanging{0};
    std::shared_ptr<fake_channel> ops;
    ops = d.add("ops", [&](const notifiers::notice&, int) -> notifiers::delivery {
        // The batch has grown by then.
        if (ops->told().size() > 60 && !over) hang = true;
        if (hang) ++hanging;
        look([&] { return !hang || ops->is_cut(); });
        return notifiers::delivered{};
    });
    d.start();
    d.until([&] { return hanging == 4; });
    d.until([&] { return d.count("ops", "state = 'pending' AND next_at > clock_timestamp()") == "4"; }, 6s);
    CHECK(d.count("ops", "state = 'pending' AND attempts > 1") == "0");
    over = true;
    hang = false;
    d.until([&] { return d.count("ops", "state = 'sent'") == "200"; });
    const auto told = ops->told();
    CHECK(std::all_of(told.begin(), told.end(), [](const auto& one) { return one.second == 1; }));
}

TEST_CASE("at the end, what was claimed and not begun is due at once")
{
    desk d;
    d.tell(200, {"ops"});
    std::atomic<int> begun{0};
    std::shared_ptr<fake_channel> ops;
    ops = d.add("ops", [&](const notifiers::notice&, int) -> notifiers::delivery {
        if (++begun <= 60) return notifiers::delivered{};
        look([&] { return ops->is_cut(); });
        return notifiers::not_delivered{notifiers::not_delivered::kind::later, "the gateway stops", {}};
    });
    d.start();
    d.until([&] { return begun >= 64; });
    d.runs->stop();
    const int cut = begun - 60;
    CHECK(cut == 4);
    CHECK(d.count("ops", "state = 'sent'") == "60");
    CHECK(d.count("ops", "state = 'pending' AND attempts = 1 AND last_error = 'the gateway stops'") == "4");
    CHECK(d.count("ops", "state = 'pending' AND attempts = 0 AND next_at <= clock_timestamp()") == "136");
}

TEST_CASE("a pause is for the whole channel, and what was claimed is told after it")
{
    desk d;
    d.tell(100, {"ops"});
    std::atomic<bool> asked{false};
    std::atomic<std::int64_t> paused_at{0}, next_at{0};
    std::atomic<int> since{0};
    const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch() / 1ms; };
    const auto ops = d.add("ops", [&](const notifiers::notice&, int) -> notifiers::delivery {
        if (!asked.exchange(true)) {
            paused_at = now();
            return notifiers::not_delivered{notifiers::not_delivered::kind::later, "answered 429", duration(2s)};
        }
        // Three may have been in the air with the first.
        if (++since == 4) next_at = now();
        return notifiers::delivered{};
    });
    d.start();
    d.until([&] { return d.count("ops", "state = 'sent'") == "100"; });
    CHECK(next_at - paused_at >= 1900);
    CHECK(d.count("ops", "attempts > 1") == "1");
    CHECK_FALSE(d.in([](storage::transaction& tx) { return storage::outbox_store::counts(tx)["ops"]; }).failing_since);
}

}  // namespace sallyport::notify
