// The command line: contract.md, "Command line".
#pragma once

namespace sallyport::command_line {

/// Parses, runs one command, gives the program's exit status.
int run(int argc, char** argv);

}  // namespace sallyport::command_line
