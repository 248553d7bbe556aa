// A PostgreSQL of the gateway's own, under its data directory, for an installation without `database:`. It listens on
// a Unix socket only, in a directory that nobody else may enter; it runs as an unprivileged user when the gateway is
// root, because PostgreSQL refuses to be root.
//
//   DATA/postgres/            0700, of the user that PostgreSQL runs as
//   DATA/postgres/data/       the cluster (initdb); postmaster.pid while it runs
//   DATA/postgres/run/        its socket; a short directory in /tmp instead when the path is too long for a socket
//   DATA/postgres.log         what it says, bounded, with one older copy
//
// It outlives a gateway that is killed: the next one takes it over. A PostgreSQL that dies is started again.
#pragma once

#include "storage/data_directory.hpp"
#include "workflows/result.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace sallyport::storage {

struct private_cluster_options {
    std::filesystem::path binaries;             // empty: the newest under /usr/lib/postgresql, else by PATH
    std::chrono::seconds start_timeout{60};     // until it takes connections; crash recovery may take its time
    std::chrono::milliseconds stop_fast{5000};  // then it is told to stop at once, and two seconds later killed
    std::size_t log_bytes = 4 * 1024 * 1024;    // then DATA/postgres.log begins anew
    /// Cuts start() short, which fails then.
    std::stop_token given_up;
    /// For the operator's log: any thread, must not block. May be empty.
    std::function<void(std::string_view event, std::string_view detail)> on_event;
};

class private_cluster {
public:
    /// Makes the cluster when there is none, starts it or takes over the one that runs, and returns when it takes
    /// connections. Blocks. `data` must outlive it.
    static result<std::unique_ptr<private_cluster>> start(const data_directory& data, private_cluster_options = {});

    /// stop().
    ~private_cluster();
    private_cluster(const private_cluster&) = delete;
    private_cluster& operator=(const private_cluster&) = delete;

    /// For database_options and listener_options: as a role that owns the database and is no superuser.
    std::string uri() const;

    /// Fast shutdown: running transactions end, nothing is lost. Returns when the postmaster is gone, by then (max: as the
    /// options say): the less time, the earlier it is told to stop at once, and is killed.
    void stop(std::chrono::steady_clock::time_point by = std::chrono::steady_clock::time_point::max()) noexcept;

    /// The postmaster's process id, 0 while there is none. Any thread.
    int postmaster() const noexcept;

private:
    class impl;
    explicit private_cluster(std::unique_ptr<impl>) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace sallyport::storage
