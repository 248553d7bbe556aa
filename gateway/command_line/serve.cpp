// serve
#include "gateway/command_line/context.hpp"
#include "gateway/config/load.hpp"
#include "gateway/config/report.hpp"
#include "gateway/log/log.hpp"
#include "gateway/serve/application.hpp"

#include <CLI/CLI.hpp>

#include <ctime>
#include <iostream>

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace sallyport::command_line {
namespace {

constexpr std::time_t housekeeping_seconds = 5;

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
    for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&taken, s);
    ::pthread_sigmask(SIG_BLOCK, &taken, nullptr);
    return taken;
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
    auto started = serve::application::start(with.config, with.data, loaded.config);
    if (!started) {
        log::error("not started",
                   {{"problem", facts(started.error().what).name}, {"detail", started.error().detail}, {"cause", started.error().cause}});
        log::flush();
        with.status = exit_status::unreachable;
        return;
    }
    const auto& gateway = *started;
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
