#include "gateway/command_line/run.hpp"

int main(int argc, char** argv) { return sallyport::command_line::run(argc, argv); }
