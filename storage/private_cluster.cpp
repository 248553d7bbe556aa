#include "storage/private_cluster.hpp"

#include "storage/connection.hpp"
#include "storage/process.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <sstream>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sallyport::storage {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char* port = "5432";  // only a part of the socket's name
constexpr const char* superuser = "postgres";
constexpr const char* role = "sallyport";
constexpr auto longest_back_off = std::chrono::milliseconds(5000);
constexpr auto look_at_log_every = 10s;

failure unusable(const fs::path& path, const std::string& why, int error)
{
    return fail(problem::invalid_input, path.string() + ": " + why + ": " + error_text(error));
}

// libpq takes a comma for the end of a host.
bool fits_a_socket(const fs::path& directory)
{
    return directory.string().find(',') == std::string::npos &&
           directory.string().size() + std::string_view("/.s.PGSQL.5432").size() < sizeof(sockaddr_un::sun_path);
}

// A directory of exactly that user and mode; never one that a symbolic link leads to.
bool is_private(const fs::path& path, unsigned uid)
{
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == uid && (found.st_mode & 07777) == 0700;
}

result<void> give_to(const fs::path& path, const std::optional<unix_user>& user)
{
    if (user && ::lchown(path.c_str(), user->uid, user->gid) != 0) return unusable(path, "cannot be given to " + user->name, errno);
    return {};
}

// By its handle: what lies in a directory of the other user may be a link to anywhere by now.
result<void> private_directory(const fs::path& path, const std::optional<unix_user>& user)
{
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return unusable(path, "cannot be made", errno);
    const file_descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return unusable(path, "cannot be opened", errno);
    if (user && ::fchown(directory.get(), user->uid, user->gid) != 0) return unusable(path, "cannot be given to " + user->name, errno);
    if (::fchmod(directory.get(), 0700) != 0) return unusable(path, "cannot be protected", errno);
    return {};
}

std::vector<fs::path> binary_directories()
{
    std::vector<std::pair<int, fs::path>> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
        const auto name = entry.path().filename().string();
        int version = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), version).ec == std::errc{})
            found.emplace_back(version, entry.path() / "bin");
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<fs::path> all;
    for (auto& f : found) all.push_back(std::move(f.second));
    if (const char* path = std::getenv("PATH")) {
        std::istringstream parts(path);
        for (std::string part; std::getline(parts, part, ':');)
            if (!part.empty() && part[0] == '/') all.emplace_back(part);
    }
    return all;
}

bool has_postgresql(const fs::path& directory)
{
    return ::access((directory / "postgres").c_str(), X_OK) == 0 && ::access((directory / "initdb").c_str(), X_OK) == 0;
}

// "postgres (PostgreSQL) 15.4": 15; 0 when it does not say.
int major_version(const fs::path& binaries)
{
    const file_descriptor said(static_cast<int>(::memfd_create("version", MFD_CLOEXEC)));
    program ask;
    ask.arguments = {(binaries / "postgres").string(), "--version"};
    ask.output = said.get();
    ask.ends_with_us = true;
    const auto pid = start_program(ask);
    if (!said || !pid) return 0;
    process asked(*pid, true);
    if (!asked.wait(5s)) asked.signal(SIGKILL);
    std::string text(200, '\0');
    const auto got = ::pread(said.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    const auto at = text.find(") ");
    int version = 0;
    if (at != std::string::npos) std::from_chars(text.data() + at + 2, text.data() + text.size(), version);
    return version;
}

std::string first_line(const fs::path& path)
{
    const auto content = read_small_file(path);
    return content ? content->substr(0, content->find('\n')) : std::string();
}

int number(std::string_view text)
{
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? value : 0;
}

// postmaster.pid, as PostgreSQL writes it line by line: pid, directory, start, port, socket directory, address, shared
// memory, status.
struct pid_file {
    int pid = 0;
    fs::path socket_directory;
    bool ready = false;
};

pid_file read_pid_file(const fs::path& data)
{
    pid_file read;
    const auto content = read_small_file(data / "postmaster.pid");
    if (!content) return read;
    std::istringstream lines(*content);
    std::string line;
    for (int i = 1; std::getline(lines, line); ++i) {
        if (i == 1) read.pid = number(line);
        if (i == 5) read.socket_directory = line;
        if (i == 8) read.ready = line.starts_with("ready");
    }
    return read;
}

}  // namespace

class private_cluster::impl {
public:
    impl(const data_directory& data, private_cluster_options options)
        : data_(data),
          options_(std::move(options)),
          root_(data.path() / "postgres"),
          cluster_(root_ / "data"),
          log_path_(data.path() / "postgres.log"),
          stop_requested_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    {
    }

    ~impl() { stop(steady::time_point::max()); }

    result<void> start()
    {
        if (!stop_requested_) return fail(problem::internal_error, "The gateway failed.", "eventfd: " + error_text(errno));
        const std::stop_callback cut(options_.given_up, [this] { request_stop(); });
        if (const auto ready = prepare(); !ready) return ready;
        if (const auto running = run_postmaster(); !running) return running;
        if (const auto made = make_database(); !made) {
            stop(steady::time_point::max());
            return made;
        }
        supervisor_ = std::thread([this] { supervise(); });
        return {};
    }

    std::string uri(std::string_view user = role) const
    {
        constexpr std::string_view digits = "0123456789ABCDEF";
        std::string text = "postgresql:///postgres?host=";
        for (const char c : socket_directory_.string()) {
            const auto byte = static_cast<unsigned char>(c);
            text += '%';
            text += digits[byte >> 4];
            text += digits[byte & 15];
        }
        return text + "&port=" + port + "&user=" + std::string(user);
    }

    int postmaster() const noexcept { return pid_.load(std::memory_order_acquire); }

    void stop(steady::time_point by) noexcept
    {
        request_stop();
        if (supervisor_.joinable()) supervisor_.join();
        if (postmaster() == 0) return;
        // For each stage what it may take, and what it leaves to those after it.
        const auto stage = [by](std::chrono::milliseconds at_most, std::chrono::milliseconds left_over) {
            if (by == steady::time_point::max()) return at_most;
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(by - steady::now()) - left_over;
            return std::clamp(left, std::chrono::milliseconds(0), at_most);
        };
        // SIGINT: fast, open transactions are rolled back. SIGQUIT: at once, the next start recovers from the log.
        postmaster_.signal(SIGINT);
        if (!postmaster_.wait(stage(options_.stop_fast, 800ms))) {
            event("postgresql does not stop, told to stop at once", "");
            postmaster_.signal(SIGQUIT);
            if (!postmaster_.wait(stage(2s, 300ms))) {
                event("postgresql does not stop, killed", "");
                postmaster_.signal(SIGKILL);
                postmaster_.wait(2s);
            }
        }
        pid_ = 0;
        if (!socket_directory_.string().starts_with(root_.string())) {
            std::error_code ignored;
            fs::remove_all(socket_directory_, ignored);
            fs::remove(root_ / "socket-directory", ignored);
        }
    }

private:
    void request_stop() noexcept
    {
        const std::uint64_t one = 1;
        if (stop_requested_) [[maybe_unused]]
            const auto written = ::write(stop_requested_.get(), &one, sizeof one);
    }

    void event(std::string_view what, std::string_view detail) const
    {
        if (options_.on_event) options_.on_event(what, detail);
    }

    result<void> prepare()
    {
        if (::geteuid() == 0) {
            user_ = user_named("postgres");
            if (!user_) user_ = user_named("nobody");
            if (!user_)
                return fail(problem::invalid_input, "PostgreSQL must not run as root, and there is neither a user postgres nor nobody.");
            if (const auto open = data_.let_through(); !open) return open;
        }
        if (const auto made = private_directory(root_, user_); !made) return made;
        if (const auto owned = own_cluster(); !owned) return owned;
        if (const auto found = find_binaries(); !found) return found;
        if (const auto opened = open_log(); !opened) return opened;
        if (::access((cluster_ / "PG_VERSION").c_str(), F_OK) != 0)
            if (const auto made = initialise(); !made) return made;
        return choose_socket_directory();
    }

    // PostgreSQL starts only on what is its user's, and user numbers differ from one machine or image to the next.
    result<void> own_cluster() const
    {
        struct stat found {};
        if (!user_ || ::lstat(cluster_.c_str(), &found) != 0 || found.st_uid == user_->uid) return {};
        std::error_code error;
        if (const auto given = give_to(cluster_, user_); !given) return given;
        for (const auto& entry : fs::recursive_directory_iterator(cluster_, error))
            if (const auto given = give_to(entry.path(), user_); !given) return given;
        return {};
    }

    result<void> find_binaries()
    {
        const int wanted = number(first_line(cluster_ / "PG_VERSION"));  // 0: none yet
        std::vector<fs::path> candidates;
        if (!options_.binaries.empty())
            candidates.push_back(options_.binaries);
        else
            candidates = binary_directories();
        for (const auto& directory : candidates) {
            if (!has_postgresql(directory)) continue;
            // A cluster is read by its own major version only.
            if (wanted != 0 && major_version(directory) != wanted) continue;
            binaries_ = directory;
            return {};
        }
        if (wanted != 0)
            return fail(problem::invalid_input,
                        "PostgreSQL " + std::to_string(wanted) + ", which made " + cluster_.string() + ", is not installed.");
        return fail(problem::invalid_input, "PostgreSQL is not installed: install it, or configure `database:`.");
    }

    result<void> open_log()
    {
        log_ = file_descriptor(::open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!log_) return unusable(log_path_, "cannot be opened", errno);
        bound_log();
        return {};
    }

    // Everybody who writes to it appends, so that it can be cut under their hands.
    void bound_log() noexcept
    {
        struct stat found {};
        if (::fstat(log_.get(), &found) != 0 || static_cast<std::size_t>(found.st_size) <= options_.log_bytes) return;
        std::error_code ignored;
        fs::copy_file(log_path_, log_path_.string() + ".1", fs::copy_options::overwrite_existing, ignored);
        fs::permissions(log_path_.string() + ".1", fs::perms::owner_read | fs::perms::owner_write, ignored);
        [[maybe_unused]] const auto cut = ::ftruncate(log_.get(), 0);
    }

    std::string log_tail() const
    {
        const file_descriptor file(::open(log_path_.c_str(), O_RDONLY | O_CLOEXEC));
        struct stat found {};
        if (!file || ::fstat(file.get(), &found) != 0) return {};
        std::string tail(1000, '\0');
        const auto got = ::pread(file.get(), tail.data(), tail.size(), std::max<off_t>(0, found.st_size - static_cast<off_t>(tail.size())));
        tail.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        std::replace(tail.begin(), tail.end(), '\n', ' ');
        return tail;
    }

    // A parent that the other user cannot pass is the usual reason; so it is said.
    std::string hint() const
    {
        if (!user_) return {};
        for (auto parent = data_.path(); parent.has_relative_path(); parent = parent.parent_path()) {
            struct stat found {};
            if (::stat(parent.c_str(), &found) == 0 && found.st_uid != user_->uid && (found.st_mode & 0001) == 0)
                return " The user " + user_->name + " cannot pass through " + parent.string() + ".";
        }
        return {};
    }

    // In a directory beside, which gets its name when it is whole: a start that is killed half-way leaves no cluster.
    result<void> initialise()
    {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(root_, error))
            if (entry.path().filename().string().starts_with("new-")) fs::remove_all(entry.path(), error);
        const auto draft = root_ / ("new-" + random_name());
        program initdb;
        initdb.arguments = {(binaries_ / "initdb").string(),
                            "--pgdata=" + draft.string(),
                            std::string("--username=") + superuser,
                            "--encoding=UTF8",
                            "--locale=C.UTF-8",
                            "--lc-messages=C",
                            "--auth=trust",  // whoever reaches the socket's directory is the gateway
                            "--no-instructions"};
        initdb.user = user_;
        initdb.output = log_.get();
        initdb.ends_with_us = true;
        const auto pid = start_program(initdb);
        if (!pid) return pid.error();
        process running(*pid, true);
        if (!running.wait(options_.start_timeout, stop_requested_.get())) {
            running.signal(SIGKILL);
            running.wait(2s);
            if (stopping()) return given_up();
            return fail(problem::storage_unavailable, "A new PostgreSQL cluster was not made in time.", log_tail());
        }
        if (running.status() != 0)
            return fail(problem::invalid_input, "A PostgreSQL cluster could not be made in " + cluster_.string() + "." + hint(),
                        log_tail());
        if (::rename(draft.c_str(), cluster_.c_str()) != 0) return unusable(cluster_, "cannot be made", errno);
        event("postgresql cluster made", cluster_.string());
        return {};
    }

    result<void> choose_socket_directory()
    {
        const unsigned uid = user_ ? user_->uid : ::geteuid();
        const auto mine = root_ / "run";
        if (fits_a_socket(mine)) {
            socket_directory_ = mine;
            return private_directory(mine, user_);
        }
        // Where it was before, if nobody has put something else there: one that runs is taken over by its socket.
        const fs::path before = first_line(root_ / "socket-directory");
        if (!before.empty() && fits_a_socket(before) && is_private(before, uid)) {
            socket_directory_ = before;
            return {};
        }
        const fs::path there = "/tmp/sallyport-" + random_name();
        if (::mkdir(there.c_str(), 0700) != 0) return unusable(there, "cannot be made", errno);
        if (const auto given = give_to(there, user_); !given) return given;
        socket_directory_ = there;
        return write_small_file(root_ / "socket-directory", there.string() + "\n");
    }

    // The postmaster of this cluster that runs already, 0 if none does.
    int running_postmaster() const
    {
        const auto file = read_pid_file(cluster_);
        if (file.pid <= 1) return 0;
        const auto here = processes_in(cluster_);
        return std::find(here.begin(), here.end(), file.pid) != here.end() ? file.pid : 0;
    }

    // A number left in a lock file may be another process by now, for which PostgreSQL would wait in vain. While any
    // process of the cluster is left (a postmaster was killed, its children are about to notice) nothing is touched:
    // the file says which shared memory they have.
    void remove_stale_files() const
    {
        if (!processes_in(cluster_).empty()) return;
        std::error_code ignored;
        fs::remove(cluster_ / "postmaster.pid", ignored);
        fs::remove(socket_directory_ / ".s.PGSQL.5432", ignored);
        fs::remove(socket_directory_ / ".s.PGSQL.5432.lock", ignored);
    }

    // Takes over or starts, and waits until it takes connections.
    result<void> run_postmaster()
    {
        const auto until = steady::now() + options_.start_timeout;
        failure why = fail(problem::storage_unavailable, "PostgreSQL does not start.");
        auto back_off = 100ms;
        // The few tries are for what passes by itself: backends of a killed postmaster that still hold its memory.
        for (int attempt = 1; attempt <= 6 && steady::now() < until && !stopping(); ++attempt) {
            if (const int pid = running_postmaster()) {
                postmaster_ = process(pid, false);
                if (read_pid_file(cluster_).socket_directory != socket_directory_) {
                    // It was started for another place of DATA, and cannot be reached here.
                    postmaster_.signal(SIGINT);
                    postmaster_.wait(options_.stop_fast, stop_requested_.get());
                } else if (wait_ready(until)) {
                    event("postgresql taken over", std::to_string(pid));
                    return {};
                }
            } else {
                remove_stale_files();
                const auto started = start_program(postgres());
                if (!started) return started.error();
                postmaster_ = process(*started, true);
                if (wait_ready(until)) {
                    event("postgresql started", std::to_string(*started));
                    return {};
                }
            }
            why.cause = log_tail();
            if (!pause(back_off)) break;
            back_off *= 2;
        }
        postmaster_.signal(SIGQUIT);
        postmaster_.wait(2s);
        if (stopping()) return given_up();
        why.detail += hint();
        return why;
    }

    program postgres() const
    {
        program p;
        p.arguments = {(binaries_ / "postgres").string(), "-D", cluster_.string(), "-p", port};
        // A list, in which a quoted element may hold anything.
        std::string sockets = "unix_socket_directories=\"";
        for (const char c : socket_directory_.string()) sockets.append(c == '"' ? 2 : 1, c);
        p.arguments.insert(p.arguments.end(), {"-c", sockets + '"'});
        for (const char* setting :
             {"listen_addresses=",  // no TCP
              "unix_socket_permissions=0700", "max_connections=60", "fsync=on", "synchronous_commit=on", "full_page_writes=on", "jit=off",
              "timezone=UTC", "log_timezone=UTC", "cluster_name=sallyport",
              // No statement and no value of one in the log: they hold what people and agents wrote.
              "logging_collector=off", "log_destination=stderr", "log_statement=none", "log_min_duration_statement=-1", "log_duration=off",
              "log_min_error_statement=panic", "log_min_messages=warning", "log_error_verbosity=terse", "log_parameter_max_length=0",
              "log_parameter_max_length_on_error=0", "log_connections=off", "log_disconnections=off"}) {
            p.arguments.emplace_back("-c");
            p.arguments.emplace_back(setting);
        }
        p.user = user_;
        p.output = log_.get();
        return p;
    }

    bool wait_ready(steady::time_point until)
    {
        while (steady::now() < until) {
            const auto file = read_pid_file(cluster_);
            if (file.pid == postmaster_.pid() && file.ready) {
                pid_.store(file.pid, std::memory_order_release);
                return true;
            }
            if (postmaster_.wait(20ms)) return false;
            if (stopping()) return false;
        }
        return false;
    }

    bool stopping() const
    {
        pollfd p{stop_requested_.get(), POLLIN, 0};
        return ::poll(&p, 1, 0) > 0;
    }

    static failure given_up() { return fail(problem::storage_unavailable, "The start of PostgreSQL was given up."); }

    // False when it was cut short by stop().
    bool pause(std::chrono::milliseconds how_long) const
    {
        pollfd p{stop_requested_.get(), POLLIN, 0};
        return ::poll(&p, 1, static_cast<int>(how_long.count())) == 0;
    }

    // The gateway is no superuser in its own database either.
    result<void> make_database()
    {
        try {
            const auto connection = connect(connection_string(uri(superuser), secret(), 5s));
            const std::stop_callback cut(options_.given_up, [socket = connection->sock()] { ::shutdown(socket, SHUT_RDWR); });
            pqxx::nontransaction work(*connection);
            if (work.exec_params("SELECT 1 FROM pg_roles WHERE rolname = $1", role).empty())
                work.exec(std::string("CREATE ROLE ") + role + " LOGIN");
            // The one that initdb made is as good as another, and takes no time to copy.
            work.exec(std::string("ALTER DATABASE postgres OWNER TO ") + role);
        } catch (const std::exception& e) {
            return fail(problem::storage_unavailable, "The database could not be made.", words_of(e));
        }
        return {};
    }

    void supervise()
    {
        auto back_off = 0ms;
        for (;;) {
            const bool ended =
                postmaster_.wait(std::chrono::duration_cast<std::chrono::milliseconds>(look_at_log_every), stop_requested_.get());
            if (stopping()) return;
            bound_log();
            if (!ended) {
                back_off = 0ms;
                continue;
            }
            if (pid_.exchange(0) != 0) event("postgresql ended", log_tail());
            if (back_off > 0ms && !pause(back_off)) return;
            back_off = std::min(back_off == 0ms ? 100ms : back_off * 2, longest_back_off);
            if (const auto again = run_postmaster(); !again && !stopping()) event("postgresql does not start", again.error().cause);
        }
    }

    const data_directory& data_;
    const private_cluster_options options_;
    const fs::path root_;
    const fs::path cluster_;
    const fs::path log_path_;
    fs::path binaries_;
    fs::path socket_directory_;
    std::optional<unix_user> user_;
    file_descriptor log_;
    file_descriptor stop_requested_;
    process postmaster_;  // the starting thread's, then the supervisor's, then the stopping one's
    std::atomic<int> pid_{0};
    std::thread supervisor_;
};

result<std::unique_ptr<private_cluster>> private_cluster::start(const data_directory& data, private_cluster_options options)
{
    auto inner = std::make_unique<impl>(data, std::move(options));
    if (const auto started = inner->start(); !started) return started.error();
    return std::unique_ptr<private_cluster>(new private_cluster(std::move(inner)));
}

private_cluster::private_cluster(std::unique_ptr<impl> inner) noexcept : impl_(std::move(inner)) {}
private_cluster::~private_cluster() = default;
std::string private_cluster::uri() const { return impl_->uri(); }
void private_cluster::stop(std::chrono::steady_clock::time_point by) noexcept { impl_->stop(by); }
int private_cluster::postmaster() const noexcept { return impl_->postmaster(); }

}  // namespace sallyport::storage
