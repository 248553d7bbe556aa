#include "gateway/command_line/run.hpp"

#include "gateway/command_line/context.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace sallyport::command_line {
namespace {

std::filesystem::path from_environment(const char* name, const char* otherwise)
{
    const char* value = std::getenv(name);
    return value && *value ? value : otherwise;
}

// A message is one line, whatever the library put into it.
std::string one_line(std::string text)
{
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

int complain(exit_status status, const std::string& message)
{
    std::cerr << "sallyport: " << one_line(message) << '\n';
    return static_cast<int>(status);
}

// `--config`, `--data` and `--json` may stand anywhere: a subcommand hands on what it does not know.
void let_options_fall_through(CLI::App& app)
{
    for (CLI::App* sub : app.get_subcommands({})) {
        sub->fallthrough();
        let_options_fall_through(*sub);
    }
}

}  // namespace

int run(int argc, char** argv)
{
    context with;
    with.config = from_environment("SALLYPORT_CONFIG", "/etc/sallyport");
    with.data = from_environment("SALLYPORT_DATA", "/var/lib/sallyport");

    CLI::App app("Sallyport: a gateway that judges every call an AI agent makes.", "sallyport");
    app.add_option("--config", with.config, "directory of configuration files")->envname("SALLYPORT_CONFIG")->type_name("DIR");
    app.add_option("--data", with.data, "directory of the gateway's data")->envname("SALLYPORT_DATA")->type_name("DIR");
    app.add_flag("--json", with.json, "print JSON");
    app.require_subcommand(1);
    app.set_version_flag("--version", SALLYPORT_VERSION);

    add_serve(app, with);
    add_check(app, with);
    add_policy(app, with);
    add_agents(app, with);
    add_people(app, with);
    add_token(app, with);
    add_holds(app, with);
    add_grants(app, with);
    add_credentials(app, with);
    add_audit(app, with);
    add_workflows(app, with);
    let_options_fall_through(app);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(e);
        return complain(exit_status::usage, std::string(e.what()) + " (--help tells more)");
    } catch (const command_failed& e) {
        return complain(e.status(), e.what());
    } catch (const std::exception& e) {
        return complain(exit_status::no, e.what());
    }
    return static_cast<int>(with.status);
}

}  // namespace sallyport::command_line
