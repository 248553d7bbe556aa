#include "gateway/audit/journal.hpp"

#include "gateway/log/log.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport::audit {
namespace {

constexpr std::string_view magic = "sallyport-jrnl-1";  // 16 bytes, then the uuid
constexpr std::size_t header_bytes = 32;
constexpr std::size_t alignment = 8;

// Before each record: its length, then the CRC-32 of its bytes.
struct frame {
    std::uint32_t length;
    std::uint32_t checksum;
};

constexpr std::size_t framed(std::size_t length) { return (sizeof(frame) + length + alignment - 1) / alignment * alignment; }

std::uint32_t checksum(std::string_view bytes) { return libdeflate_crc32(0, bytes.data(), bytes.size()); }

std::uint32_t load_length(const char* at) { return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(at), __ATOMIC_ACQUIRE); }

failure file_failure(std::string_view doing, const std::filesystem::path& path, int error)
{
    return fail(problem::internal_error, "The journal cannot be used.",
                std::string(doing) + " " + path.string() + ": " + std::generic_category().message(error));
}

std::string hex(const journal_uuid& uuid)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const auto byte : uuid) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace

std::uint64_t journal_segment::first() noexcept { return header_bytes; }

result<std::shared_ptr<journal_segment>> journal_segment::create(const std::filesystem::path& path, const journal_uuid& uuid,
                                                                 std::size_t capacity)
{
    std::shared_ptr<journal_segment> made(new journal_segment);
    made->path_ = path;
    made->uuid_ = uuid;
    made->file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made->file_ < 0) return file_failure("creating", path, errno);
    // Allocated now: a full disk is an error here, not a SIGBUS in the middle of a call.
    if (const int error = ::posix_fallocate(made->file_, 0, static_cast<off_t>(capacity))) {
        ::unlink(path.c_str());
        return file_failure("allocating", path, error);
    }
    void* mapped = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, made->file_, 0);
    if (mapped == MAP_FAILED) return file_failure("mapping", path, errno);
    made->bytes_ = static_cast<char*>(mapped);
    made->size_ = capacity;
    std::memcpy(made->bytes_, magic.data(), magic.size());
    std::memcpy(made->bytes_ + magic.size(), uuid.data(), uuid.size());
    made->end_ = header_bytes;
    made->appended_ = made->shipped_ = header_bytes;
    return made;
}

result<std::shared_ptr<journal_segment>> journal_segment::open(const std::filesystem::path& path)
{
    std::shared_ptr<journal_segment> opened(new journal_segment);
    opened->path_ = path;
    opened->file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (opened->file_ < 0) return file_failure("opening", path, errno);
    struct stat status {};
    if (::fstat(opened->file_, &status) != 0) return file_failure("reading", path, errno);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size < header_bytes) return file_failure("reading", path, EBADMSG);
    void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, opened->file_, 0);
    if (mapped == MAP_FAILED) return file_failure("mapping", path, errno);
    opened->bytes_ = static_cast<char*>(mapped);
    opened->size_ = size;
    if (std::string_view(opened->bytes_, magic.size()) != magic) return file_failure("reading", path, EBADMSG);
    std::memcpy(opened->uuid_.data(), opened->bytes_ + magic.size(), opened->uuid_.size());
    opened->end_ = size;
    std::uint64_t whole = header_bytes;
    for (auto e = opened->read(whole); e.next != whole; e = opened->read(whole)) whole = e.next;
    opened->appended_ = opened->flushed_ = whole;
    opened->shipped_ = header_bytes;
    opened->seal();
    return opened;
}

journal_segment::~journal_segment()
{
    if (bytes_ != nullptr) ::munmap(bytes_, size_);
    if (file_ >= 0) ::close(file_);
}

bool journal_segment::append(std::string_view record) noexcept
{
    const std::size_t need = framed(record.size());
    // Room for the next record's empty length stays, so that a reader always finds where the records end.
    if (record.empty() || size_ - end_ < need + sizeof(frame)) return false;
    char* at = bytes_ + end_;
    const std::uint32_t sum = checksum(record);
    std::memcpy(at + sizeof(std::uint32_t), &sum, sizeof sum);
    std::memcpy(at + sizeof(frame), record.data(), record.size());
    __atomic_store_n(reinterpret_cast<std::uint32_t*>(at), static_cast<std::uint32_t>(record.size()), __ATOMIC_RELEASE);
    end_ += need;
    appended_.store(end_, std::memory_order_relaxed);
    return true;
}

journal_segment::entry journal_segment::read(std::uint64_t offset) const noexcept
{
    const entry none{{}, offset};
    if (offset < header_bytes || offset % alignment != 0 || offset + sizeof(frame) > size_) return none;
    const char* at = bytes_ + offset;
    const std::uint32_t length = load_length(at);
    if (length == 0 || length > size_ - offset - sizeof(frame)) return none;
    std::uint32_t sum = 0;
    std::memcpy(&sum, at + sizeof(std::uint32_t), sizeof sum);
    const std::string_view record(at + sizeof(frame), length);
    if (checksum(record) != sum) return none;
    return {record, offset + framed(length)};
}

void journal_segment::flush() noexcept
{
    const std::uint64_t end = appended_.load(std::memory_order_relaxed);
    if (end == flushed_.load(std::memory_order_relaxed)) return;
    if (::fdatasync(file_) == 0) flushed_.store(end, std::memory_order_relaxed);
}

journal::journal(std::filesystem::path directory, journal_uuid (*random_uuid)(), std::size_t capacity)
    : directory_(std::move(directory)),
      random_uuid_(random_uuid),
      capacity_(capacity)
{
}

journal::~journal()
{
    if (current_) current_->seal();
}

bool journal::append(std::string_view record) noexcept
{
    if (record.size() > longest_record) return false;
    if (current_ && current_->append(record)) return true;
    return begin_segment() && current_->append(record);
}

bool journal::begin_segment() noexcept
try {
    const journal_uuid uuid = random_uuid_();
    auto made = journal_segment::create(directory_ / (hex(uuid) + ".journal"), uuid, capacity_);
    if (!made) {
        log::error("journal: no new segment", {{"cause", made.error().cause}});
        return false;
    }
    if (current_) current_->seal();
    current_ = *made;
    const std::lock_guard lock(mutex_);
    segments_.push_back(current_);
    return true;
} catch (const std::exception& e) {
    log::error("journal: no new segment", {{"cause", e.what()}});
    return false;
}

std::vector<std::shared_ptr<journal_segment>> journal::segments() const
{
    const std::lock_guard lock(mutex_);
    return {segments_.begin(), segments_.end()};
}

void journal::drop(const std::shared_ptr<journal_segment>& segment) noexcept
{
    {
        const std::lock_guard lock(mutex_);
        std::erase(segments_, segment);
    }
    ::unlink(segment->path().c_str());
}

std::vector<std::shared_ptr<journal_segment>> leftover_segments(const std::filesystem::path& directory)
{
    struct found {
        std::filesystem::file_time_type written;
        std::shared_ptr<journal_segment> segment;
    };
    std::vector<found> all;
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(directory, ignored)) {
        if (file.path().extension() != ".journal") continue;
        auto segment = journal_segment::open(file.path());
        if (!segment) {
            log::error("journal: a segment cannot be read", {{"cause", segment.error().cause}});
            continue;
        }
        all.push_back({file.last_write_time(ignored), *segment});
    }
    std::sort(all.begin(), all.end(), [](const found& a, const found& b) { return a.written < b.written; });
    std::vector<std::shared_ptr<journal_segment>> segments;
    for (auto& f : all) segments.push_back(std::move(f.segment));
    return segments;
}

}  // namespace sallyport::audit
