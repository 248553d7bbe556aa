#include "gateway/command_line/context.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>

namespace sallyport::command_line {
namespace {

// Characters, not bytes: names may hold more than ASCII.
std::size_t width(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

time_point local_now() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

void print(std::string_view line)
{
    std::cout << line << '\n';
    if (!std::cout.flush()) throw command_failed(exit_status::no, "Writing to standard output failed.");
}

void print_json(const boost::json::value& value) { print(boost::json::serialize(value)); }

void table::print() const
{
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
        }
        command_line::print(line);
    }
}

std::string read_file(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file) throw command_failed(exit_status::no, path.string() + ": cannot be read");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (file.bad()) throw command_failed(exit_status::no, path.string() + ": cannot be read");
    return text;
}

std::string read_standard_input() { return {std::istreambuf_iterator<char>(std::cin), {}}; }

}  // namespace sallyport::command_line
