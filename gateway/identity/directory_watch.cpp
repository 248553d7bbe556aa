#include "gateway/identity/directory_watch.hpp"

#include "gateway/log/log.hpp"
#include "storage/directory_store.hpp"

#include <chrono>

namespace sallyport::identity {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 500ms;

struct reading {
    storage::directory all;
    std::vector<storage::sealed_credential> credentials;
};

}  // namespace

directory_watch::directory_watch(storage::database& db, keyring keys, standings& all) : db_(db), keys_(std::move(keys)), standings_(all) {}

directory_watch::~directory_watch() { stop(); }

result<void> directory_watch::refresh()
{
    const std::lock_guard one(reading_);
    const auto known = standings_.current()->directory->generation();
    auto read = db_.run_blocking([known](storage::transaction& tx) {
        std::optional<reading> changed;
        if (storage::directory_store::current_generation(tx) == known) return changed;
        changed.emplace(reading{storage::directory_store::load(tx), storage::credential_store::load(tx)});
        return changed;
    });
    if (!read) return read.error();
    if (!*read) return {};

    auto opened = std::make_shared<credential_map>();
    for (const auto& stored : (*read)->credentials) {
        auto plain = keys_.open(stored.sealed, "credential:" + stored.info.name);
        if (!plain) {
            log::error("credential cannot be opened", {{"credential", stored.info.name}, {"cause", plain.error().cause}});
            continue;  // its routes answer credential-missing
        }
        const secret text(std::move(*plain));
        auto made = make_credential(stored.info.type, stored.info.header, text.reveal());
        if (made)
            opened->emplace(stored.info.name, std::move(*made));
        else
            log::error("credential cannot be used", {{"credential", stored.info.name}, {"cause", made.error().detail}});
    }
    storage::directory& all = (*read)->all;
    std::vector<std::string> teams;
    for (const auto& team : all.teams) teams.push_back(team.name);
    standings_.publish(std::make_shared<const sallyport::directory>(all.generation, std::move(all.people), std::move(teams),
                                                                    std::move(all.agents), arrangements_of(standings_.current()->config)),
                       std::move(opened));
    return {};
}

void directory_watch::start()
{
    thread_ = std::thread([this] { run(); });
}

void directory_watch::wake() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    wake_.notify_all();
}

void directory_watch::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void directory_watch::run()
{
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, look_every, [this] { return woken_ || stopping_; });
            if (stopping_) return;
            woken_ = false;
        }
        try {
            const auto done = refresh();
            if (!done && done.error().what != problem::storage_unavailable)
                log::error("directory cannot be read", {{"cause", done.error().detail + " " + done.error().cause}});
        } catch (const std::exception& e) {
            log::error("directory cannot be read", {{"cause", e.what()}});
        }
    }
}

}  // namespace sallyport::identity
