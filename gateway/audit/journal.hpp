// The local journal of calls that are not held: what is decided without a database round trip is written here before it is
// sent on or refused, so that kill -9 loses none of it. The recorder copies it to the log in batches (recorder.hpp).
//
// A journal is a sequence of segments, each a preallocated file mapped into memory. A record is complete once its
// length stands (written last, with release order), and its checksum tells a torn one from a whole one after a power
// cut. The page cache survives the process; flush(), called every few milliseconds, bounds what a power cut takes.
#pragma once

#include "workflows/result.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::audit {

using journal_uuid = std::array<std::uint8_t, 16>;

/// One file of the journal. Written by one thread, read by another: the reader sees whole records only.
class journal_segment {
public:
    /// Makes a new file of `capacity` bytes; it must not exist. The pages are there before they are needed.
    static result<std::shared_ptr<journal_segment>> create(const std::filesystem::path&, const journal_uuid&, std::size_t capacity);
    /// Opens what an earlier process left: whole records up to the first that is not.
    static result<std::shared_ptr<journal_segment>> open(const std::filesystem::path&);

    journal_segment(const journal_segment&) = delete;
    journal_segment& operator=(const journal_segment&) = delete;
    ~journal_segment();

    /// Appends one record; false when it does not fit. The writer's thread.
    bool append(std::string_view record) noexcept;

    /// The record at `offset` and the offset of the next; `next == offset` when none is complete there. The views
    /// live as long as the segment. Any thread.
    struct entry {
        std::string_view record;
        std::uint64_t next = 0;
    };
    entry read(std::uint64_t offset) const noexcept;

    /// Writes to the disk what has been appended. Any thread; blocks.
    void flush() noexcept;

    /// Where the records end, as last seen. Any thread.
    std::uint64_t end() const noexcept { return appended_.load(std::memory_order_relaxed); }
    /// How far the log has them; the recorder's word, for whoever asks how much waits.
    std::uint64_t shipped() const noexcept { return shipped_.load(std::memory_order_relaxed); }
    void shipped(std::uint64_t offset) noexcept { shipped_.store(offset, std::memory_order_relaxed); }

    const journal_uuid& uuid() const noexcept { return uuid_; }
    const std::filesystem::path& path() const noexcept { return path_; }
    /// Where the first record stands.
    static std::uint64_t first() noexcept;
    /// No more will be appended.
    bool sealed() const noexcept { return sealed_.load(std::memory_order_acquire); }
    void seal() noexcept { sealed_.store(true, std::memory_order_release); }

private:
    journal_segment() = default;

    std::filesystem::path path_;
    journal_uuid uuid_{};
    int file_ = -1;
    char* bytes_ = nullptr;
    std::size_t size_ = 0;
    std::size_t end_ = 0;  // the writer's
    std::atomic<bool> sealed_{false};
    std::atomic<std::uint64_t> appended_{0}, flushed_{0}, shipped_{0};
};

/// The writer of one core: appends to its newest segment, begins another when that is full.
class journal {
public:
    static constexpr std::size_t segment_bytes = 16 << 20;
    static constexpr std::size_t longest_record = 256 << 10;

    /// `directory` exists. New segments are named by `random_uuid()`, which must not repeat itself.
    journal(std::filesystem::path directory, journal_uuid (*random_uuid)(), std::size_t capacity = segment_bytes);
    ~journal();

    /// Before a call is sent on. False when the disk is full or the record too long: the call must then not be sent.
    /// The core's thread only; no system call but when a segment is full.
    bool append(std::string_view record) noexcept;

    /// The segments that are not yet dropped, the oldest first. Any thread.
    std::vector<std::shared_ptr<journal_segment>> segments() const;
    /// Forgets and deletes a sealed segment whose every record has been shipped. Any thread.
    void drop(const std::shared_ptr<journal_segment>&) noexcept;

private:
    bool begin_segment() noexcept;

    std::filesystem::path directory_;
    journal_uuid (*random_uuid_)();
    std::size_t capacity_;
    std::shared_ptr<journal_segment> current_;  // the core's
    mutable std::mutex mutex_;                  // for segments_
    std::deque<std::shared_ptr<journal_segment>> segments_;
};

/// Segments that earlier processes left in the directory, the oldest first.
std::vector<std::shared_ptr<journal_segment>> leftover_segments(const std::filesystem::path& directory);

}  // namespace sallyport::audit
