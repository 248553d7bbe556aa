// serve
#include "gateway/command_line/context.hpp"
#include "gateway/config/load.hpp"
#include "gateway/config/report.hpp"
#include "gateway/log/log.hpp"
#include "gateway/serve/application.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <condition_variable>
#include <ctime>
#include <exception>
#include <future>
#include <iostream>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport::command_line {
namespace {

constexpr std::time_t housekeeping_seconds = 5;
constexpr int signal_of_start = SIGUSR1;  // to ourselves: the start has ended, well or not

// Keys and credentials are in this process's memory: no core file, no debugger of another user.
void keep_memory_private()
{
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0);
    ::umask(077);
}

// As many connections as the system lets us have.
void raise_file_limit()
{
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

sigset_t block_signals()
{
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t taken;
    sigemptyset(&taken);
    for (const int s : {SIGTERM, SIGINT, SIGHUP, signal_of_start}) sigaddset(&taken, s);
    ::pthread_sigmask(SIG_BLOCK, &taken, nullptr);
    return taken;
}

// What no bound of our own reaches (a name server that says nothing, a disk that hangs) must not keep the process longer
// than it promised (semantics.md, "Records, files, process").
class last_resort {
public:
    explicit last_resort(std::chrono::milliseconds patience)
        : thread_([patience](const std::stop_token& ended) {
              std::mutex mutex;
              std::condition_variable_any time;
              std::unique_lock lock(mutex);
              time.wait_for(lock, ended, patience, [] { return false; });
              if (ended.stop_requested()) return;
              log::error("did not stop in time");
              log::flush();
              ::_exit(static_cast<int>(exit_status::no));
          })
    {
    }

private:
    std::jthread thread_;
};

constexpr auto stop_patience = serve::application::longest_stop + std::chrono::milliseconds(300);

// Starts on a thread of its own, so that a signal that ends the program ends the start too. Empty: it did.
using started = result<std::unique_ptr<serve::application>>;
std::optional<started> start(const context& with, const config::load_result& loaded, const sigset_t& signals)
{
    std::stop_source given_up;
    std::promise<started> promised;
    auto future = promised.get_future();
    std::thread starting([&with, &loaded, &given_up, &promised, main_thread = ::pthread_self()] {
        try {
            promised.set_value(serve::application::start(with.config, with.data, loaded.config, given_up.get_token()));
        } catch (...) {
            promised.set_exception(std::current_exception());
        }
        ::pthread_kill(main_thread, signal_of_start);
    });
    std::optional<last_resort> bound;
    for (int caught = 0; caught != signal_of_start;) {
        caught = ::sigwaitinfo(&signals, nullptr);
        if ((caught != SIGTERM && caught != SIGINT) || given_up.stop_requested()) continue;
        log::info("stopping");
        bound.emplace(stop_patience);
        given_up.request_stop();
    }
    starting.join();
    auto made = future.get();
    if (!given_up.stop_requested()) return made;
    if (made) (*made)->stop();
    return std::nullopt;
}

void serve(context& with)
{
    keep_memory_private();
    raise_file_limit();
    const auto loaded = config::load(with.config);
    if (!loaded.config) {
        std::cerr << config::text_report(loaded);
        with.status = exit_status::no;
        return;
    }
    for (const auto& warning : loaded.warnings) log::warning("configuration", {{"warning", config::line_of(warning)}});

    const sigset_t signals = block_signals();
    const auto made = start(with, loaded, signals);
    if (!made) {
        log::info("stopped");
        log::flush();
        return;
    }
    if (!*made) {
        const failure& why = made->error();
        log::error("not started", {{"problem", facts(why.what).name}, {"detail", why.detail}, {"cause", why.cause}});
        log::flush();
        with.status = exit_status::unreachable;
        return;
    }
    const auto& gateway = **made;
    for (;;) {
        const timespec pause{housekeeping_seconds, 0};
        const int caught = ::sigtimedwait(&signals, nullptr, &pause);
        if (caught == SIGTERM || caught == SIGINT) break;
        if (caught == SIGHUP)
            gateway->reload();
        else
            gateway->housekeep();
    }
    log::info("stopping");
    const last_resort bound(stop_patience);
    gateway->stop();
    log::info("stopped");
    log::flush();
}

}  // namespace

void add_serve(CLI::App& app, context& with)
{
    app.add_subcommand("serve", "runs the gateway")->callback([&with] { serve(with); });
}

}  // namespace sallyport::command_line
